/* SPDX-License-Identifier: MIT */
/* The ring of uses. A get writes the entry's id into a ring in its process's mapped table, which
 * costs no system call. It writes nothing if its last use of that entry is not settled. A process
 * that needs times, or that is about to lose a ring, settles it: it sets the time of the entry's
 * link to the present. A process that closes the cache settles its ring, too.
 *
 * There are two entries, each alone under its key, and a limit that makes one collection evict one
 * of them. Two processes use entries; an adopter takes over the table of one that has died. Every
 * process may be killed between any two steps. Chosen with -D:
 *
 *   USES=n         uses of each of the two processes (2)
 *   ADOPTER        a process adopts the table of the first process when that is dead
 *   HOUR           all times are less than an hour old, so a process that closes the cache leaves
 *                  them as they are if no collection is at work. Then Oldest does not hold.
 *
 * A ring holds one id here, so that it overflows at once. Its head counts the stores. A use has
 * happened when its get returns: after the store into the ring.
 *
 *   Kept     what was used after the eviction was planned, and before the look that precedes it, is
 *            not evicted; nor is what is leased all that time
 *   Oldest   an entry that was used before the plan began is not chosen while the other was never
 *            used
 */
#ifndef USES
#define USES 2
#endif
#define BIT(i)     (1 << (i))
#define HAS(s, i)  (((s) >> (i)) & 1)
#define OTHER(i)   (3 - (i))

/* On disk and in the tables. */
byte live = BIT(1) | BIT(2);    /* the entries that a key names */
byte times[3];                  /* how often the time of the entry's link was set */
byte slot[2];
byte ring[2], head[2], settled[2];
bit collecting;                 /* the collector's lock is taken */

/* In the kernel. A table's lock is its process's for life, then the reaper's or the adopter's. */
bit alive[2], locked[2];

/* History, kept for the invariants only. */
byte held[2];                   /* leases that have been confirmed */
bit before_plan = 1, chosen;
byte used_before, used_ever, used_since;        /* masks of entries */
byte held_at_look[2];
byte ended;
hidden byte Kept, Oldest;

#define STEP(x, killed)  if :: atomic { x } :: atomic { true -> goto killed } fi
#define SETTLE(i)  if :: HAS(live, i) -> times[i]++ :: else fi
#define UNSETTLED(p)  (ring[p] != 0 && head[p] > settled[p])

#ifdef MUTANT_counts_although_settled
#define WRITES(i)  (last != i)
#else
#define WRITES(i)  (last != i || last_number <= settled[me])
#endif

#if defined(MUTANT_close_leaves_times)
#define CLOSE_SETS(collecting)  false
#elif defined(HOUR)
#define CLOSE_SETS(collecting)  (collecting)
#else
#define CLOSE_SETS(collecting)  true
#endif

proctype user(byte me)
{
	byte i, n, last, last_number;	/* the id and the number of its last use */
	do
	:: n < USES ->
		n++;
		if :: i = 1 :: i = 2 fi;
		STEP(slot[me] = i, killed);
		STEP(if :: HAS(live, i) -> held[me] = i :: else -> slot[me] = 0 fi, killed);
		if
		:: atomic { held[me] != 0 };
			/* An id that would be overwritten is settled first. */
#ifndef MUTANT_overflow_unsettled
			STEP(if :: UNSETTLED(me) && ring[me] != i -> SETTLE(ring[me]) :: else fi,
				killed);
#endif
			STEP(if
				:: WRITES(i) -> ring[me] = i; head[me]++; last = i;
					last_number = head[me]
				:: else
				fi;
				used_ever = used_ever | BIT(i);
				if :: before_plan -> used_before = used_before | BIT(i) :: else fi;
				if :: chosen -> used_since = used_since | BIT(i) :: else fi,
				killed);
			STEP(held[me] = 0; held_at_look[me] = 0; slot[me] = 0, killed)
		:: atomic { held[me] == 0 }
		fi
	:: break
	od;
	/* It closes the cache. The ring stays as it is, and counts as settled. */
	atomic { i = collecting };
	STEP(if :: UNSETTLED(me) && CLOSE_SETS(i) -> SETTLE(ring[me]) :: else fi, killed);
	STEP(settled[me] = head[me], killed);
killed:
	atomic { i = 0; n = 0; last = 0; last_number = 0; held[me] = 0; held_at_look[me] = 0;
		alive[me] = 0; locked[me] = 0;
		ended++ }
}

/* A process that takes over a table settles it and then wipes it, with its lock in hand. */
#ifdef MUTANT_wiped_first
#define TAKE(p, killed) \
	STEP(if :: UNSETTLED(p) -> r = ring[p] :: else fi; ring[p] = 0; slot[p] = 0; \
		settled[p] = head[p], killed); \
	STEP(if :: r != 0 -> SETTLE(r) :: else fi; r = 0, killed)
#else
#define TAKE(p, killed) \
	STEP(if :: UNSETTLED(p) -> SETTLE(ring[p]) :: else fi, killed); \
	STEP(ring[p] = 0; slot[p] = 0; settled[p] = head[p], killed)
#endif

#ifdef ADOPTER
proctype adopter()
{
	byte r;
	if
	:: atomic { !alive[0] && !locked[0] -> locked[0] = 1 };
		TAKE(0, killed);
killed:		atomic { r = 0; locked[0] = 0 }
	:: true
	fi;
	ended++
}
#endif

/* The head comes first, so what is written between the two steps counts as later. */
#define READ_RING(p) \
	atomic { heads[p] = head[p] }; \
	atomic { if :: UNSETTLED(p) -> in_plan = in_plan | BIT(ring[p]) :: else fi }
#define SETTLE_USE(i)  atomic { if :: HAS(in_plan, i) -> SETTLE(i) :: else fi }

proctype collector()
{
	byte r, v, in_plan, stays;
	byte heads[2], planned[3];
	atomic { collecting = 1 };
	/* Reap. */
	if
	:: atomic { !alive[0] && !locked[0] -> locked[0] = 1 };
		TAKE(0, killed_reaping_0);
		atomic { locked[0] = 0 }
	:: atomic { !(!alive[0] && !locked[0]) }
	fi;
	if
	:: atomic { !alive[1] && !locked[1] -> locked[1] = 1 };
		TAKE(1, killed_reaping_1);
		atomic { locked[1] = 0 }
	:: atomic { !(!alive[1] && !locked[1]) }
	fi;

	/* Plan: the rings of all tables, also of those that another process has locked, which it
	 * settles; then the links' times. That is the way a use travels. */
	atomic { before_plan = 0 };
#ifdef MUTANT_plan_reads_times_first
	atomic { planned[1] = times[1] };
	atomic { planned[2] = times[2] };
#endif
	READ_RING(0);
	READ_RING(1);
	SETTLE_USE(1);
	SETTLE_USE(2);
	atomic { settled[0] = heads[0] };
	atomic { settled[1] = heads[1] };
#ifndef MUTANT_plan_reads_times_first
	atomic { planned[1] = times[1] };
	atomic { planned[2] = times[2] };
#endif
#define USED(i) (HAS(in_plan, i) || planned[i] > 0)
	atomic {
		/* The one that was not used; of two that were, or of two that were not, either. */
		if
		:: true -> v = 1
		:: true -> v = 2
		fi;
		if :: USED(v) && !USED(OTHER(v)) -> v = OTHER(v) :: else fi;
		chosen = 1;
#ifndef HOUR
		assert(Oldest || !HAS(used_before, v) || HAS(used_ever, OTHER(v)))
#endif
	};

	/* The look before the eviction: slots, rings, times. */
	atomic { r = used_since; held_at_look[0] = held[0]; held_at_look[1] = held[1] };
#ifdef MUTANT_look_reads_times_first
	atomic { stays = stays | (times[v] != planned[v]) };
#endif
#ifndef MUTANT_slots_not_read_again
	atomic { stays = stays | (slot[0] == v) };
	atomic { stays = stays | (slot[1] == v) };
#endif
#ifndef MUTANT_rings_not_read_again
#ifdef MUTANT_heads_not_compared
	/* What a ring named when the plan was made counts as not used since. */
	atomic { stays = stays | (ring[0] == v && !HAS(in_plan, v)) };
	atomic { stays = stays | (ring[1] == v && !HAS(in_plan, v)) };
#else
	atomic { stays = stays | (ring[0] == v && head[0] != heads[0]) };
	atomic { stays = stays | (ring[1] == v && head[1] != heads[1]) };
#endif
#endif
#if !defined(MUTANT_look_reads_times_first) && !defined(MUTANT_times_not_read_again)
	atomic { stays = stays | (times[v] != planned[v]) };
#endif
	atomic {
		if
		:: stays == 0 ->
			assert(Kept || !HAS(r, v));
			assert(Kept || (held_at_look[0] != v && held_at_look[1] != v));
			live = live & ~BIT(v)
		:: else
		fi };
	goto ends;
killed_reaping_0: atomic { locked[0] = 0; goto ends };
killed_reaping_1: atomic { locked[1] = 0; goto ends };
ends:
	atomic { collecting = 0; ended++ }
}

init
{
	atomic {
		alive[0] = 1; alive[1] = 1; locked[0] = 1; locked[1] = 1;
		run user(0); run user(1); run collector();
#ifdef ADOPTER
		run adopter();
#endif
	}
}
