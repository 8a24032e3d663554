/* SPDX-License-Identifier: MIT */
/* Participants: which of them live, and which owns a lease table and its staging area. Adoption
 * beside a collector that reaps; fork, exec, kills.
 *
 * There are two tables. A predecessor died in the first: it left a lease on entry 2, which is
 * retired, and a staged link to entry 3. Entry 1 is live until it is retired, at any time. A user
 * adopts a table, leases entry 1 and stages an entry of its own. It may fork, it may become a
 * command that keeps the participant's descriptor or closes all descriptors, and it may be killed
 * between any two steps. A child owns nothing, and adopts a table of its own at its first use.
 *
 *   USERS=n        1 or 2 users, at once; only the first may fork
 *   FORK, EXEC     the first user may fork; every user may exec
 *   RETIRE         entry 1 is retired at some time
 *   COLLECTORS=n   1 or 2 collections, one after the other
 *
 * Get and publish are cut short here: entries.pml has them in full.
 */
#ifndef COLLECTORS
#define COLLECTORS 1
#endif

#define BIT(i)     (1 << (i))
#define HAS(s, i)  (((s) >> (i)) & 1)
#define NOTABLE    2

/* On disk. Sets of ids are masks. */
byte live = 1;                  /* the entry that the one key names */
byte archive = BIT(1) | BIT(2) | BIT(3);
byte retired = BIT(2);
byte staged[2];                 /* links in the table's staging area */
byte slot[2];                   /* one lease slot a table */
#ifdef MUTANT_lease_moved
byte slot2[2];
#endif
byte header[2];                 /* the process that adopted the table; 0: closed cleanly */
byte magic[2];                  /* says what the file is; it is written and wiped byte by byte */
#define NONE  0
#define CUT   1
#define WHOLE 2

/* In the kernel. The lock belongs to the open file, so a forked child holds it too. It is free when
 * no process has that open file. */
byte holders[2];
byte runs;                      /* the processes that run: pid and start time name one forever */

/* Processes: 1 and 2 are the users, 3 the child, 4 the predecessor, 5 the collector. Entry 3 + u is
 * user u's own. */
#define CHILD       3
#define PREDECESSOR 4
#define COLLECTOR   5
byte running;                   /* how many of the cast have not ended */
byte held[4];                   /* the lease that each process has been promised; [0] is the
                                 * child's own, [CHILD] its parent's */
byte inherited = NOTABLE;       /* the table whose open file the child has from its parent */

hidden byte LeasedStays, OneOwner, CleanStart, NoLeak, NoHostage;
byte owner[2];                  /* the process that works in the table now */

#define CHECK \
	assert(LeasedStays || ( \
		(held[0] == 0 || HAS(archive, held[0])) && \
		(held[1] == 0 || HAS(archive, held[1])) && \
		(held[2] == 0 || HAS(archive, held[2])) && \
		(held[3] == 0 || HAS(archive, held[3]))))
#define STEP(x)    if :: atomic { x } :: atomic { true -> goto killed } fi

/* Dead: the lock is free and the header's process does not run. Neither alone is enough: a command
 * that closed its descriptors has no lock any more, and a forked child runs under another pid. */
#ifdef MUTANT_free_lock_means_dead
#define RUNNING(t) 0
#else
#define RUNNING(t) (header[t] != 0 && HAS(runs, header[t]))
#endif
#ifdef MUTANT_lock_ignored
#define FREE(t)    1
#else
#define FREE(t)    (holders[t] == 0)
#endif

/* A word that is cut off is what a death leaves. It is no damage. */
#ifdef MUTANT_cut_header_is_damage
#define KNOWN(t)   (magic[t] != CUT)
#else
#define KNOWN(t)   1
#endif

/* ---- a process adopts a table ---------------------------------------------------------------- */

#define TAKE(n)   FREE(n) -> holders[n]++; open = 1; t = n
#define GIVE_BACK holders[t]--; open = 0

/* A process that works in a table must be alone there. */
#define OWN(me)   assert(OneOwner || owner[t] == 0); owner[t] = me

#ifdef MUTANT_adopter_ignores_header
#define ADOPT_HEADER(me, given_up)  STEP(OWN(me))
#else
#define ADOPT_HEADER(me, given_up) \
	STEP(if \
	     :: RUNNING(t) || !KNOWN(t) -> GIVE_BACK; t = NOTABLE; goto given_up \
	     :: else -> OWN(me) \
	     fi)
#endif
#ifdef MUTANT_adopter_does_not_reap
#define ADOPT_STAGED skip
#else
#define ADOPT_STAGED retired = retired | staged[t]; staged[t] = 0
#endif
#ifdef MUTANT_adopter_keeps_slots
#define WIPE_SLOTS(n)  skip
#else
#define WIPE_SLOTS(n)  slot[n] = 0
#endif

#define ADOPT(me, given_up) \
	if \
	:: atomic { TAKE(0) } \
	:: atomic { TAKE(1) } \
	/* Otherwise it adds a table, which no other process has: nothing new to see. */ \
	:: atomic { !FREE(0) && !FREE(1) -> goto given_up } \
	:: atomic { true -> goto killed } \
	fi; \
	ADOPT_HEADER(me, given_up); \
	STEP(ADOPT_STAGED); \
	STEP(header[t] = 0); \
	STEP(WIPE_SLOTS(t)); \
	STEP(magic[t] = CUT);           /* on its way to nothing, and from there to whole */ \
	STEP(magic[t] = WHOLE); \
	STEP(header[t] = me; assert(CleanStart || (staged[t] == 0 && slot[t] == 0)))

/* The kernel closes what was open. */
#define ENDS(me) \
	if :: open -> holders[t]-- :: else fi; \
	if :: t != NOTABLE && owner[t] == me -> owner[t] = 0 :: else fi; \
	runs = runs & ~BIT(me); open = 0; t = NOTABLE; running--

/* ---- a user ---------------------------------------------------------------------------------- */

proctype user(byte me)
{
	byte t = NOTABLE;
	bit open;       /* it still has the open file that it adopted with */

	ADOPT(me, killed);

	/* stage: a link, and the entry that it names */
	STEP(staged[t] = staged[t] | BIT(3 + me); archive = archive | BIT(3 + me));

	/* get */
	STEP(slot[t] = 1);
	STEP(if :: live == 1 -> held[me] = 1; CHECK :: else -> slot[t] = 0 fi);
#ifdef MUTANT_lease_moved
	if
	:: atomic { held[me] != 0 -> slot2[t] = 1 };
	   atomic { slot[t] = 0 }
	:: atomic { held[me] == 0 }
	fi;
#endif

#ifdef FORK
	if
	:: atomic { me == 1 ->
		holders[t]++; inherited = t; runs = runs | BIT(CHILD); held[CHILD] = held[me];
		running++; run child() }
	:: atomic { true }
	fi;
#endif
#ifdef EXEC
	/* A command that keeps the descriptor is like a process that does nothing more until it is
	 * killed, and the model has that already. A command that closes all its descriptors frees
	 * the lock. It lives, it has its lease, and the header says so. */
	if
	:: atomic { true -> GIVE_BACK };
	   atomic { true -> goto killed }
	:: atomic { true }
	fi;
#endif

	/* What was staged is still there: no process took a living owner for a dead one. */
	STEP(assert(OneOwner || HAS(staged[t], 3 + me));
		staged[t] = staged[t] & ~BIT(3 + me); retired = retired | BIT(3 + me));

	/* The second user may be stopped here forever: its lease stays, and no process waits for
	 * it. */
	if
	:: atomic { me == 2 -> running--; goto stopped }
	:: atomic { true }
	fi;

	/* Let go of the lease, and close. The copy of the lease that a child has is void then. */
	STEP(held[me] = 0; slot[t] = 0; if :: me == 1 -> held[CHILD] = 0 :: else fi);
	STEP(header[t] = 0);
	STEP(GIVE_BACK; owner[t] = 0);

killed:
	atomic { held[me] = 0; ENDS(me) };
stopped:
	skip
}

/* ---- a forked child -------------------------------------------------------------------------- */

#ifdef FORK
proctype child()
{
	byte t = NOTABLE;
	bit open;

	/* The child has the parent's objects. What these own is not the child's: their destructors
	 * touch nothing here. */
#ifdef MUTANT_child_clears_parents_slot
	STEP(slot[inherited] = 0);
#endif
	/* First use: the child becomes a participant of its own. */
#ifdef MUTANT_child_uses_parents_table
	t = inherited;
#else
	ADOPT(CHILD, killed);
#endif
	STEP(slot[t] = 1);
	STEP(if :: live == 1 -> held[0] = 1; CHECK :: else -> slot[t] = 0 fi);
	STEP(held[0] = 0; slot[t] = 0);
killed:
	atomic { held[0] = 0; held[CHILD] = 0; holders[inherited]--; inherited = NOTABLE;
		ENDS(CHILD) }
}
#endif

/* ---- collect --------------------------------------------------------------------------------- */

#define LEASED(i)  (slot[0] == i || slot[1] == i)
#define REAP(n) \
	if \
	:: atomic { TAKE(n); \
		if \
		:: !KNOWN(n) -> goto killed \
		:: RUNNING(n) -> GIVE_BACK; t = NOTABLE \
		:: else REAP_EARLY_UNLOCK \
		fi } \
	:: atomic { !FREE(n) } \
	:: atomic { true -> goto killed } \
	fi; \
	if \
	:: atomic { t == n -> REAP_OWN; retired = retired | staged[n]; staged[n] = 0 }; \
	   STEP(header[n] = 0); \
	   STEP(slot[n] = 0); \
	   STEP(magic[n] = CUT); \
	   STEP(magic[n] = NONE); \
	   STEP(REAP_UNLOCK; t = NOTABLE) \
	:: atomic { t == NOTABLE } \
	fi
#ifdef MUTANT_reaper_lets_go_too_early
#define REAP_EARLY_UNLOCK -> GIVE_BACK
#define REAP_OWN          skip
#define REAP_UNLOCK       skip
#else
#define REAP_EARLY_UNLOCK
#define REAP_OWN          OWN(COLLECTOR)
#define REAP_UNLOCK       owner[t] = 0; GIVE_BACK
#endif
#ifdef MUTANT_lease_moved
#define SCAN(n)    STEP(listed = listed & ~BIT(slot2[n])); STEP(listed = listed & ~BIT(slot[n]))
#else
#define SCAN(n)    STEP(if :: KNOWN(n) -> listed = listed & ~BIT(slot[n]) :: else -> goto killed fi)
#endif
#define DELETE(i) \
	if \
	:: atomic { HAS(listed, i) -> \
		archive = archive & ~BIT(i); retired = retired & ~BIT(i); CHECK } \
	:: atomic { !HAS(listed, i) } \
	fi

proctype collector()
{
	byte t = NOTABLE, listed, round;
	bit open;

again:
	REAP(0);
	REAP(1);
	STEP(listed = retired);
	SCAN(0);
	SCAN(1);
	DELETE(1); DELETE(2); DELETE(3); DELETE(4); DELETE(5);
	atomic { listed = 0; round++; if :: round < COLLECTORS -> goto again :: else fi };
killed:
	atomic { listed = 0; round = 0; ENDS(COLLECTOR) }
}

#ifdef RETIRE
proctype retirer()
{
	atomic { live = 0; retired = retired | BIT(1); running-- }
}
#endif

/* ---- the end --------------------------------------------------------------------------------- */

#define LAST_REAP(n) \
	if \
	:: FREE(n) && !RUNNING(n) -> retired = retired | staged[n]; staged[n] = 0; slot[n] = 0 \
	:: else \
	fi
#define LAST_DELETE(i) \
	if \
	:: HAS(retired, i) && !LEASED(i) -> \
		archive = archive & ~BIT(i); retired = retired & ~BIT(i) \
	:: else \
	fi

init
{
	atomic {
		slot[0] = 2; staged[0] = BIT(3); header[0] = PREDECESSOR; magic[0] = WHOLE;
		run user(1); running++; runs = runs | BIT(1);
#if USERS > 1
		run user(2); running++; runs = runs | BIT(2);
#endif
#ifdef RETIRE
		run retirer(); running++;
#endif
		run collector(); running++
	}
	/* All have ended, or were stopped forever. One more collection leaves what is live, and
	 * what a stopped process leases. */
	atomic {
		running == 0 ->
		if
		:: KNOWN(0) && KNOWN(1) ->
			LAST_REAP(0); LAST_REAP(1);
			LAST_DELETE(1); LAST_DELETE(2); LAST_DELETE(3); LAST_DELETE(4);
			LAST_DELETE(5)
		:: else
		fi;
		CHECK;
		assert(NoHostage || (archive & ~BIT(1)) == 0);
		assert(NoLeak || live == 1 || held[2] == 1 || archive == 0);
		assert(NoLeak || (staged[0] == 0 && staged[1] == 0))
	}
}
