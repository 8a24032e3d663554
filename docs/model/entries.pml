/* SPDX-License-Identifier: MIT */
/* Entries: stage in place, publish by an exchange or by record, then replace, get, remove, evict,
 * refresh, restore, reap, collect and verify, with a kill between any two steps.
 *
 * There is one bucket with one key. Each file system operation is one atomic step. The cast and the
 * size are chosen with -D (the script `run` lists the combinations):
 *
 *   PUBLISHERS=n   0 to 2 processes, each publishing one new entry under the key
 *   RESTORE        the first of them restores an entry that is in the trash instead
 *   GETTER         one process that gets the key, uses the entry for a while, and lets go
 *   REMOVER        one process that removes the key, or evicts the entry that it has picked
 *   REFRESHES=n    0 to 2 refreshes: of the bucket, or, by pattern, of the one key
 *   COLLECTIONS=n  0 to 2 collections, one after the other. A killed one is followed by the next
 *   SECOND         a second collector beside the first; FAKE_LOCK allows that
 *   VERIFY         one verify, in place of a collection
 *   LATE           path resolution is not atomic: "b" is looked up in one step, and "k" inside what
 *                  was found in another. A refresh may come between the two, so that a link is read
 *                  from, or lands in, a directory that was just moved aside
 *   REPLACE        two names can't be exchanged. Publish takes the lock exclusively; (a) a link
 *                  `o-` in staging names the old entry; (b) the new link is renamed over the key;
 *                  (c) `o-` is renamed to retired/links
 *   JUNCTION       as REPLACE, and the key's link is not renamed over but set again in place, so
 *                  that `l-` is still there after (b). It is opened and then set, wherever it is
 *                  by then
 *   RMDIR          the collection removes the bucket's directory if it is empty
 *   LOOK           the collector asks, before it reads the slots, whether an entry's own key names
 *                  it. Then the entry stays, and only the retired link goes. (The other casts show
 *                  that nothing rests on it.)
 *   COPIED         the live link was copied into retired/links by hand before the start
 *   CUT            a power cut came before the start: the key names entry 1, whose publisher's
 *                  staging area came back with `l-` (which names 1) and `o-` (which names 3)
 *   TORN           the record of entry 1 can't be read
 *   BOOT           the first collection of a boot lists archive/ once, after its reap, and retires
 *                  what an earlier boot has made and no link names
 *   ANY_BOOT       the boot of an id can't be told: every id counts as an earlier boot's
 *   OUTLIVES       a child of the first publisher outlives it, and makes the entry's directory
 *                  again by its path
 *   FAKE_LOCK      no lock keeps a process out. An orphan is allowed then, and nothing else
 *
 * Each MUTANT_x takes one step of the protocol out, or exchanges two, and must be caught.
 */
#ifndef PUBLISHERS
#define PUBLISHERS 0
#endif
#ifndef REFRESHES
#define REFRESHES 0
#endif
#ifndef COLLECTIONS
#define COLLECTIONS 0
#endif
#ifdef JUNCTION
#define REPLACE
#endif
#if defined(JUNCTION) || defined(COPIED) || defined(CUT)
#define LOOK
#endif

/* Words. An id is 1 (live at the start), 2 (the first publisher's) or 3 (the second's), and is
 * never used twice; 0 is "none". A set of ids is a mask. A participant is 0 or 1 (the publishers)
 * or 2 (the getter). */
#define OLDEST     1
#define ID(p)      ((p) + 2)
#define BIT(i)     (1 << (i))
#define HAS(s, i)  (((s) >> (i)) & 1)
#define GET        2

/* On disk. A bucket's directory is an object of its own, and no name: 0 is at buckets/b at the
 * start, and publishers make 1 and 2 after a refresh. NODIR stands for "there is no such
 * directory". link[NODIR] is always 0, as a look-up there always fails. */
#define NODIR      3
byte link[4];           /* in each directory, the id that the key's link names; 0: no such key */
byte cur = 0;           /* the directory at buckets/b */
byte made = 1;          /* directories made so far; all but `cur` have been moved aside */
byte unlinked;          /* the directories that were removed again (a mask) */
byte archive = BIT(OLDEST);     /* the directories archive/<id> */
byte filled = BIT(OLDEST);      /* of these, the ones that hold their whole tree */
byte recorded = BIT(OLDEST);    /* of these, the ones that have their record */
byte retired[4];        /* how many links in retired/links name the id */
byte staged[2];         /* l-<id> in each publisher's staging area: what it names; 0: not there */
byte old[2];            /* o-<id>, likewise */
byte slot[3];           /* one lease slot for each participant is enough */
bit settled;            /* in boots/: this boot's first collection has listed archive/ */

/* In the kernel. A participant is alive while its lock is held. When it is killed, the kernel frees
 * all its locks. */
bit alive[3];
byte sharers;
bit exclusive;
#define COLLECTOR  1
#define RESTORER   2
byte collecting;        /* which of the two holds the collector's lock */

/* History, kept for the invariants only. */
byte held[3];           /* the lease each participant has been promised */
byte born = BIT(OLDEST);/* ids that were ever found under the key */
byte left;              /* ids whose link left its bucket */
byte gone;              /* ids under the key before a refresh, or a remove, that has returned */
bit taken;              /* a remove, evict or refresh has taken effect, so a miss is right */
byte ended;

/* The invariants' names appear in the text of the assertion that fails. All are constant 0. */
hidden byte Complete, NamedOnce, Garbage, NeverBack, LeasedStays, GoneIsGone, NoLeak, Meant,
	NeverMissed, NoFalseOrphan, Restorable, Spared;

#define IN_DIRS(i) ((link[0] == i) + (link[1] == i) + (link[2] == i))
#define PLACES(i)  (IN_DIRS(i) + (staged[0] == i) + (staged[1] == i))
#define OLDS(i)    ((old[0] == i) + (old[1] == i))
#if defined(OUTLIVES) || defined(FAKE_LOCK) || defined(COPIED) || defined(CUT)
#define NAMED(i)   1    /* broken from the start, or not promised; the others hold all the same */
#else
#ifdef JUNCTION
#define NAMED(i)   (PLACES(i) <= 2 && PLACES(i) + OLDS(i) + retired[i] >= 1)
#else
#ifdef REPLACE
/* One link, and beside it the o- of each publisher that has begun to replace it, or what has become
 * of such an o-. */
#define NAMED(i)   (PLACES(i) <= 1 && PLACES(i) + retired[i] <= 2 && \
	PLACES(i) + OLDS(i) + retired[i] >= 1)
#else
#define NAMED(i)   (PLACES(i) + retired[i] == 1)
#endif
#endif
#endif
#define IF_THERE(i) (!HAS(archive, i) || NAMED(i))
#if defined(JUNCTION) || defined(COPIED) || defined(CUT)
#define GARBAGE    1
#else
#define GARBAGE    (link[cur] == 0 || retired[link[cur]] == 0)  /* what is retired is garbage */
#endif

/* This is checked after each step that changes the disk or a promise. What no step changes needs no
 * second look, so it holds at every instant. */
#define CHECK \
	assert(Complete || link[cur] == 0 || (HAS(archive, link[cur]) && \
		HAS(filled, link[cur]) && HAS(recorded, link[cur]))); \
	assert(NamedOnce || (IF_THERE(1) && IF_THERE(2) && IF_THERE(3))); \
	assert(Garbage || GARBAGE); \
	assert(LeasedStays || ( \
		(held[0] == 0 || HAS(archive, held[0])) && \
		(held[1] == 0 || HAS(archive, held[1])) && \
		(held[2] == 0 || HAS(archive, held[2]))))

/* One step, or a kill instead of it. */
#define STEP(x, killed)  if :: atomic { x } :: atomic { true -> goto killed } fi

/* Looks "b" up. With LATE that is a step of its own, and otherwise a part of the step that follows,
 * which starts with NOW. */
#ifdef LATE
#define LOOKUP(killed)   STEP(dir = cur, killed)
#define NOW
#else
#define LOOKUP(killed)
#define NOW              dir = cur;
#endif

#define RETIRE(i)        retired[i]++; left = left | BIT(i)
#define DELETED(i) \
	archive = archive & ~BIT(i); filled = filled & archive; recorded = recorded & archive

#ifdef FAKE_LOCK
#define LOCK_EXCLUSIVE   skip
#define UNLOCK_EXCLUSIVE skip
#define LOCK_PUBLISH     skip
#define UNLOCK_PUBLISH   skip
#define MAY_COLLECT      true
#define NOT_LOST         1
#else
#define LOCK_EXCLUSIVE   (!exclusive && sharers == 0) -> exclusive = 1
#define UNLOCK_EXCLUSIVE exclusive = 0
#if defined(REPLACE) && !defined(MUTANT_publish_shared)
#define LOCK_PUBLISH     LOCK_EXCLUSIVE
#define UNLOCK_PUBLISH   UNLOCK_EXCLUSIVE
#else
#define LOCK_PUBLISH     !exclusive -> sharers++
#define UNLOCK_PUBLISH   sharers--
#endif
#define MAY_COLLECT      collecting == 0
#define NOT_LOST         Restorable
#endif

/* A directory that was moved aside: it is in retired/buckets. */
#define ASIDE(d)   (d < made && d != cur && !HAS(unlinked, d))
#define IN_TRASH(i) \
	(retired[i] > 0 || (link[0] == i && ASIDE(0)) || (link[1] == i && ASIDE(1)) || \
	 (link[2] == i && ASIDE(2)))

/* ---- stage and publish, restore -------------------------------------------------------------- */

#define LAND \
	assert(NeverBack || !HAS(left, ID(me))); \
	link[dir] = ID(me); \
	if :: dir == cur -> born = born | BIT(ID(me)) :: else fi

/* A restore that may not replace gives up if the key has an entry. */
#ifdef RESTORE
#define FORBIDDEN  (from != 0 && link[dir] != 0)
#else
#define FORBIDDEN  0
#endif

#if PUBLISHERS > 0
proctype publisher(byte me)
{
	byte dir;
#ifdef JUNCTION
	byte opened;    /* the entry that the key's junction named when it was opened */
#endif
#ifdef RESTORE
	byte from;      /* the entry whose files are copied; 0: not a restore */
	if
	:: me == 0 ->
#ifdef MUTANT_restore_takes_no_lock
		skip;
#else
		STEP(if :: MAY_COLLECT -> collecting = RESTORER :: else -> goto killed fi, killed);
#endif
		if
		:: atomic { IN_TRASH(1) && HAS(archive, 1) -> from = 1 }
		:: atomic { IN_TRASH(3) && HAS(archive, 3) -> from = 3 }
		:: atomic { true -> goto killed }               /* a miss, or a kill */
		fi
	:: me != 0
	fi;
#endif

	/* Stage: the link, the directory that it names, the tree, the record, the lease. */
#ifdef MUTANT_archive_before_link
	STEP(archive = archive | BIT(ID(me)); CHECK, killed);
	STEP(staged[me] = ID(me), killed);
#else
	STEP(staged[me] = ID(me), killed);
	STEP(archive = archive | BIT(ID(me)); CHECK, killed);
#endif
#ifdef RESTORE
	/* The files are copied. If the source is gone before the end, the copy is cut short, and a
	 * comparison with the source's record shows it. */
	STEP(if
	     :: from == 0 || HAS(archive, from) -> filled = filled | BIT(ID(me))
	     :: else ->
		assert(NOT_LOST || HAS(archive, from));
#ifndef MUTANT_copy_not_compared
		goto drop
#endif
	     fi, killed);
#else
	STEP(filled = filled | BIT(ID(me)), killed);
#endif
#ifndef MUTANT_record_after_publish
	STEP(recorded = recorded | BIT(ID(me)), killed);
#endif
	if
	:: true
	:: atomic { true -> goto drop }         /* a caller that changes its mind */
	fi;
#ifndef MUTANT_lease_after_publish
	STEP(slot[me] = ID(me), killed);
#endif

	STEP(LOCK_PUBLISH, killed);
again:
#ifdef JUNCTION
	/* (a) Read the key in the directory that was found, and name what it names in the own staging
	 * area. */
	LOOKUP(killed_locked);
	STEP(NOW
		if
		:: dir == NODIR ->
			if :: cur == NODIR -> cur = made; made++ :: else fi;
			dir = 0; goto again
		:: dir != NODIR && HAS(unlinked, dir) ->
			dir = 0; goto again
		:: dir != NODIR && !HAS(unlinked, dir) ->
			opened = link[dir]; old[me] = opened; CHECK
		fi, killed_locked);
	if
	:: true
	:: atomic { true -> opened = 0; dir = 0; goto give_up }         /* any error */
	fi;
	if
	:: opened == 0 ->
		/* A rename that never replaces. */
		STEP(if
		     :: HAS(unlinked, dir) -> dir = 0; goto again
		     :: else -> staged[me] = 0; LAND; held[me] = ID(me); dir = 0; CHECK
		     fi, killed_locked)
	:: opened != 0 ->
		/* (b) What was opened is set, wherever it is by then. So look whether the key still leads
		 * to it. */
		STEP(if
		     :: cur == dir && link[dir] == opened -> skip
		     :: else -> old[me] = 0; opened = 0; dir = 0; CHECK; goto again
		     fi, killed_locked);
		/* If it was retired meanwhile, a collection may have read it as a name of the old entry,
		 * and unlinks it, whatever it names by then. */
		STEP(if
		     :: link[dir] == opened -> left = left | BIT(opened); LAND
		     :: else ->
			if :: retired[opened] > 0 -> retired[opened]-- :: else fi;
			if :: true :: retired[ID(me)]++ fi
		     fi; held[me] = ID(me); CHECK, killed_locked);
#ifdef MUTANT_staged_link_just_removed
		STEP(staged[me] = 0; opened = 0; dir = 0; CHECK, killed_locked)
#else
		STEP(if
		     :: link[dir] == ID(me) -> staged[me] = 0
		     :: else -> RETIRE(ID(me)); staged[me] = 0
		     fi; opened = 0; dir = 0; CHECK, killed_locked)
#endif
	fi;
	STEP(UNLOCK_PUBLISH, killed_locked);
	/* (c) */
	STEP(if :: old[me] != 0 -> RETIRE(old[me]); old[me] = 0; CHECK :: else fi, killed);
#else
#ifdef REPLACE
	/* (a) Read the key, and name what it names in the own staging area. */
#ifndef MUTANT_nothing_written_down
#ifndef MUTANT_written_down_afterwards
	LOOKUP(killed_locked);
	STEP(NOW
		if
		:: FORBIDDEN -> dir = 0; goto give_up
		:: else -> old[me] = link[dir]; dir = 0; CHECK
		fi, killed_locked);
#endif
#endif
	if
	:: true
	:: atomic { true -> goto give_up }      /* any error */
	fi;
	/* (b) Rename over whatever is there. */
	LOOKUP(killed_locked);
	STEP(NOW
		if
		:: dir == NODIR ->
			/* ENOENT: there is no bucket. mkdir, and begin again */
			if :: cur == NODIR -> cur = made; made++ :: else fi;
			dir = 0; goto again
		:: dir != NODIR && HAS(unlinked, dir) ->
			dir = 0; goto again
		:: dir != NODIR && !HAS(unlinked, dir) ->
#ifdef MUTANT_written_down_afterwards
			old[me] = link[dir];
#endif
#ifdef RESTORE
			assert(Spared || from == 0 || link[dir] == 0);
#endif
			if :: link[dir] != 0 -> left = left | BIT(link[dir]) :: else fi;
			staged[me] = 0;
			LAND
		fi;
		held[me] = ID(me); dir = 0;
#ifdef MUTANT_written_down_afterwards
		/* The name is written in a step of its own, and does not count before. */
		dir = old[me]; old[me] = 0; CHECK; old[me] = dir; dir = 0
#else
		CHECK
#endif
		, killed_locked);
	STEP(UNLOCK_PUBLISH, killed_locked);
	/* (c) */
	STEP(if :: old[me] != 0 -> RETIRE(old[me]); old[me] = 0; CHECK :: else fi, killed);
#else
	/* An exchange, or a rename that never replaces; the wrong one fails, and publish looks
	 * again. */
	LOOKUP(killed_locked);
	if
	:: atomic { NOW
		if
		:: dir == NODIR ->
			if :: cur == NODIR -> cur = made; made++ :: else fi;
			dir = 0; goto again
		:: dir != NODIR && HAS(unlinked, dir) ->
			dir = 0; goto again
#ifndef MUTANT_restore_looks_before
		:: dir != NODIR && !HAS(unlinked, dir) && FORBIDDEN ->
			dir = 0; goto give_up                   /* EEXIST */
#endif
		:: dir != NODIR && !HAS(unlinked, dir) && link[dir] != 0 && !FORBIDDEN ->
#ifdef MUTANT_rename_over
			staged[me] = 0;
#else
			staged[me] = link[dir];
#endif
			left = left | BIT(link[dir]);
			LAND
#ifdef MUTANT_restore_looks_before
		:: dir != NODIR && !HAS(unlinked, dir) && FORBIDDEN ->
			assert(Spared || dir != cur);
			staged[me] = link[dir]; left = left | BIT(link[dir]); LAND
#endif
		:: dir != NODIR && !HAS(unlinked, dir) && link[dir] == 0 ->
			staged[me] = 0;
			LAND
		fi;
#ifndef MUTANT_lease_after_publish
		held[me] = ID(me);
#endif
		dir = 0; CHECK
	   }
	:: atomic { true -> dir = 0; goto again }
	:: atomic { true -> goto killed_locked }
	fi;
	STEP(UNLOCK_PUBLISH, killed_locked);
	STEP(if :: staged[me] != 0 -> RETIRE(staged[me]); staged[me] = 0; CHECK :: else fi, killed);
#endif
#endif
#ifdef MUTANT_record_after_publish
	STEP(recorded = recorded | BIT(ID(me)), killed);
#endif
#ifdef MUTANT_lease_after_publish
	STEP(slot[me] = ID(me); held[me] = ID(me); CHECK, killed);
#endif
	STEP(held[me] = 0; slot[me] = 0, killed);       /* the caller releases the lease */
	goto killed;

	/* Publish gives up: the name that may be false goes first. */
give_up:
#ifdef MUTANT_give_up_link_first
	STEP(RETIRE(staged[me]); staged[me] = 0; CHECK, killed_locked);
	STEP(old[me] = 0; CHECK, killed_locked);
	goto killed_locked;
#else
	STEP(old[me] = 0; CHECK, killed_locked);
	STEP(UNLOCK_PUBLISH, killed_locked);
	goto drop;
#endif
	/* What was staged is moved to deleting/, and then its link is unlinked. Or, if it can't be
	 * moved, the link is retired. */
drop:
	if
	:: atomic { DELETED(ID(me)); CHECK };
	   STEP(staged[me] = 0; CHECK, killed)
	:: atomic { true -> RETIRE(staged[me]); staged[me] = 0; CHECK }
	:: atomic { true -> goto killed }
	fi;
	goto killed;
killed_locked:
	atomic { dir = 0; UNLOCK_PUBLISH; goto killed }
killed:
	atomic {
#ifdef JUNCTION
		opened = 0;
#endif
#ifdef RESTORE
		from = 0;
		if :: me == 0 && collecting == RESTORER -> collecting = 0 :: else fi;
#endif
		dir = 0; held[me] = 0; alive[me] = 0; ended++ }
}
#endif

/* ---- get ------------------------------------------------------------------------------------- */

#ifdef GETTER
proctype getter()
{
	byte dir, before;

	/* (1) and (2): a guess, or a first read that may be out of date, and the store. */
store:
#ifdef MUTANT_get_reads_once
	if
	:: atomic { link[cur] != 0 -> before = link[cur] }
	:: atomic { true -> goto killed }
	fi;
	STEP(slot[GET] = before; held[GET] = before; before = 0; CHECK, killed);
#else
	if
	:: slot[GET] = 1
#if PUBLISHERS > 0
	:: slot[GET] = 2
#endif
#if PUBLISHERS > 1
	:: slot[GET] = 3
#endif
	:: atomic { true -> goto killed }
	fi;

	/* (3) The second read decides. */
#ifdef LATE
	STEP(dir = cur; before = gone, killed);
	STEP(
#else
	STEP(dir = cur; before = gone;
#endif
		if
		:: link[dir] != 0 && link[dir] == slot[GET] ->
			assert(GoneIsGone || !HAS(before, slot[GET]));
			held[GET] = slot[GET]; CHECK
		:: link[dir] == 0 ->
			assert(NeverMissed || taken);
			slot[GET] = 0; goto killed
		:: link[dir] != 0 && link[dir] != slot[GET] ->
			dir = 0; before = 0; slot[GET] = 0; goto store
		fi; dir = 0; before = 0, killed);
#endif
	STEP(held[GET] = 0; slot[GET] = 0, killed);
killed:
	atomic { dir = 0; before = 0; held[GET] = 0; alive[GET] = 0; ended++ }
}
#endif

/* ---- remove, evict --------------------------------------------------------------------------- */

#ifdef REMOVER
#ifdef FAKE_LOCK
#define MEANT 1         /* what may be lost then is a put, and nothing else */
#else
#define MEANT Meant
#endif
proctype remover()
{
	byte dir, meant, before;

	/* Remove takes what is there. Evict takes one entry that it picked earlier, or nothing. */
	if
	:: meant = 0
	:: meant = 1
#if PUBLISHERS > 0
	:: meant = 2
#endif
	fi;
	STEP(LOCK_EXCLUSIVE, ends);
	atomic { before = born };
	if
	:: atomic { meant == 0 }
	:: atomic { meant != 0 }
		LOOKUP(killed);
		STEP(NOW if :: link[dir] != meant -> goto killed :: else fi; dir = 0, killed)
	fi;
	LOOKUP(killed);
	STEP(NOW
		if
		:: link[dir] != 0 ->
			assert(MEANT || meant == 0 || link[dir] == meant);
			taken = 1; RETIRE(link[dir]); link[dir] = 0; CHECK
		:: else                 /* ENOENT: refreshed, or flattened, meanwhile */
		fi; dir = 0, killed);
	atomic { if :: meant == 0 -> gone = gone | before :: else fi };
killed:
	atomic { dir = 0; UNLOCK_EXCLUSIVE; goto ends }
ends:
	atomic { dir = 0; meant = 0; before = 0; ended++ }
}
#endif

/* ---- refresh --------------------------------------------------------------------------------- */

#if REFRESHES > 0
/* One rename, no lock. All that was under the key is gone when it returns. */
#define REFRESH \
	if \
	:: atomic { cur != NODIR -> cur = NODIR; gone = gone | born; taken = 1 } \
	:: atomic { cur == NODIR -> gone = gone | born } \
	:: atomic { link[cur] != 0 -> \
		RETIRE(link[cur]); link[cur] = 0; gone = gone | born; taken = 1; CHECK } \
	:: true \
	fi
proctype refresher()
{
	REFRESH;
#if REFRESHES > 1
	REFRESH;
#endif
	ended++
}
#endif

/* ---- collect --------------------------------------------------------------------------------- */

/* (1) Reap. Whether the participant is dead is judged once, with its lock in hand, for the whole
 * reap. An o- that stands beside its l- names what its key still names, and is unlinked. One that
 * stands alone names what was replaced. */
#define DEAD(p) (!alive[p])
#define TAKE_LINK(p) \
	if :: DEAD(p) && staged[p] != 0 -> RETIRE(staged[p]); staged[p] = 0; CHECK :: else fi
#if defined(JUNCTION) && !defined(MUTANT_junctions_by_pairs) && \
	!defined(MUTANT_junctions_by_the_new_key)
#define STANDS(p) 0             /* both are retired, and the collector's look settles them */
#else
#ifdef MUTANT_pairs_not_settled
#define STANDS(p) 0
#else
#ifdef MUTANT_junctions_by_the_new_key
#define STANDS(p) (link[cur] != ID(p))
#else
#define STANDS(p) (staged[p] != 0)
#endif
#endif
#endif
#define TAKE_OLD(p) \
	if \
	:: DEAD(p) && old[p] != 0 && STANDS(p) -> old[p] = 0; CHECK \
	:: DEAD(p) && old[p] != 0 && !STANDS(p) -> RETIRE(old[p]); old[p] = 0; CHECK \
	:: else \
	fi
#ifdef MUTANT_judged_twice
#define JUDGED(p) 1
#else
#define JUDGED(p) dead
#endif
#define REAP_OLD(p)  STEP(if :: JUDGED(p) -> TAKE_OLD(p) :: else fi, killed)
#define REAP_LINK(p) STEP(if :: JUDGED(p) -> TAKE_LINK(p) :: else fi, killed)
#if defined(REPLACE) || defined(CUT)
#ifdef MUTANT_reap_link_first
#define REAP_STAGED(p) REAP_LINK(p); REAP_OLD(p)
#else
#define REAP_STAGED(p) REAP_OLD(p); REAP_LINK(p)
#endif
#define REAP(p) \
	STEP(dead = DEAD(p), killed); \
	REAP_STAGED(p); \
	STEP(if :: dead -> slot[p] = 0 :: else fi; dead = 0, killed)
#else
/* With nothing but links l- in staging, one step is as good. participants.pml takes it apart. */
#define REAP(p) STEP(TAKE_LINK(p); if :: DEAD(p) -> slot[p] = 0 :: else fi, killed)
#endif

/* The first collection of a boot looks for what an earlier boot has made and no link names. It
 * lists archive/ first, and then the places of names in the order in which a link moves (see
 * verify). So nothing rests on the boot that an id tells (ANY_BOOT): in a container it may be a
 * false one. */
#ifdef ANY_BOOT
#define EARLIER    archive
#else
#ifdef CUT
#define EARLIER    (BIT(1) | BIT(3))
#else
#define EARLIER    BIT(1)
#endif
#endif
#define LINKS      ((BIT(staged[0]) | BIT(staged[1]) | BIT(old[0]) | BIT(old[1])) & ~1)
#define LISTED     (((retired[1] > 0) << 1) | ((retired[2] > 0) << 2) | ((retired[3] > 0) << 3))
#define IN_ASIDE   ((ASIDE(0) -> BIT(link[0]) : 0) | (ASIDE(1) -> BIT(link[1]) : 0) | \
	(ASIDE(2) -> BIT(link[2]) : 0))
#define GIVE_NAME(i) \
	STEP(if :: HAS(orphans, i) -> retired[i]++; CHECK :: else fi, killed)
#ifdef MUTANT_listed_in_any_order
#define FIND_NAMES \
	do \
	:: atomic { !HAS(asked, 0) -> orphans = orphans & ~LINKS; asked = asked | 1 } \
	:: atomic { !HAS(asked, 1) -> orphans = orphans & ~BIT(link[cur]); asked = asked | 2 } \
	:: atomic { !HAS(asked, 2) -> orphans = orphans & ~IN_ASIDE; asked = asked | 4 } \
	:: atomic { !HAS(asked, 3) -> orphans = orphans & ~LISTED; asked = asked | 8 } \
	:: atomic { asked == 15 -> asked = 0; break } \
	:: atomic { true -> goto killed } \
	od
#else
#define FIND_NAMES \
	STEP(orphans = orphans & ~LINKS, killed); \
	LOOKUP(killed); \
	STEP(NOW orphans = orphans & ~BIT(link[dir]); dir = 0, killed); \
	STEP(orphans = orphans & ~IN_ASIDE, killed); \
	STEP(orphans = orphans & ~LINKS, killed); \
	STEP(orphans = orphans & ~LISTED, killed)
#endif
#define LIST_ARCHIVE \
	if \
	:: atomic { !settled -> orphans = archive & EARLIER; MARK_EARLY }; \
	   FIND_NAMES; \
	   GIVE_NAME(1); GIVE_NAME(2); GIVE_NAME(3); \
	   STEP(orphans = 0; settled = 1, killed) \
	:: atomic { settled } \
	:: atomic { true -> goto killed } \
	fi
#ifdef MUTANT_marked_before_listed
#define MARK_EARLY settled = 1
#else
#define MARK_EARLY skip
#endif

/* (2) A link is renamed out of the directory first and read afterwards, since a late publisher may
 * still exchange what is in the directory. */
#define FLATTEN(d) \
	STEP(if :: ASIDE(d) && link[d] != 0 -> RETIRE(link[d]); link[d] = 0; CHECK :: else fi, \
		killed); \
	STEP(if :: ASIDE(d) && link[d] == 0 -> unlinked = unlinked | BIT(d) :: else fi, killed)

/* (3) */
#define SCAN(p)    STEP(listed = listed & ~BIT(slot[p]), killed)
#ifdef TORN
#define READABLE(i) (i != OLDEST && HAS(recorded, i))
#else
#define READABLE(i) HAS(recorded, i)
#endif
#define LOOK_AT_KEY(i) \
	if \
	:: atomic { HAS(listed, i) && READABLE(i) } \
		LOOKUP(killed); \
		STEP(NOW if :: link[dir] == i -> spared = spared | BIT(i) :: else fi; dir = 0, \
			killed) \
	:: atomic { !(HAS(listed, i) && READABLE(i)) } \
	fi
#define LOOKS      LOOK_AT_KEY(1); LOOK_AT_KEY(2); LOOK_AT_KEY(3)

/* (4) */
#define UNLINK(i) \
	if :: retired[i] > 0 -> retired[i]-- :: else fi; \
	listed = listed & ~BIT(i); spared = spared & ~BIT(i); CHECK
#ifdef MUTANT_unlink_before_move
#define DELETE(i) \
	if \
	:: atomic { HAS(listed, i) -> retired[i]--; CHECK }; \
	   STEP(DELETED(i); listed = listed & ~BIT(i), killed) \
	:: atomic { !HAS(listed, i) } \
	fi
#else
#define DELETE(i) \
	if \
	:: atomic { HAS(listed, i) && !HAS(spared, i) -> DELETED(i); CHECK }; \
	   STEP(UNLINK(i), killed) \
	:: atomic { HAS(listed, i) && HAS(spared, i) -> UNLINK(i) } \
	:: atomic { !HAS(listed, i) } \
	:: atomic { true -> goto killed } \
	fi
#endif

#if COLLECTIONS > 0
proctype collector()
{
	byte listed, spared, dir, round;
#ifdef BOOT
	byte orphans, asked;
#endif
#ifdef MUTANT_slots_before_links
	byte leased;
#endif
#ifdef MUTANT_empty_bucket_deleted_whole
	bit was_empty;
#endif
	bit dead;
begin:
	STEP(if :: MAY_COLLECT -> collecting = COLLECTOR :: else -> goto killed fi, killed);
#if defined(BOOT) && defined(MUTANT_listed_before_reap)
	LIST_ARCHIVE;
#endif
#if PUBLISHERS > 0
	REAP(0);
#endif
#if PUBLISHERS > 1 || defined(CUT)
	REAP(1);
#endif
#ifdef GETTER
	STEP(if :: DEAD(GET) -> slot[GET] = 0 :: else fi, killed);
#endif
#if defined(BOOT) && !defined(MUTANT_listed_before_reap)
	LIST_ARCHIVE;
#endif
#if REFRESHES > 0
	FLATTEN(0);
#endif
#if REFRESHES > 1
	FLATTEN(1);
#endif
#ifdef MUTANT_slots_before_links
	STEP(leased = BIT(slot[0]) | BIT(slot[1]) | BIT(slot[2]), killed);
	STEP(listed = LISTED & ~leased; leased = 0, killed);
#else
	STEP(listed = LISTED, killed);
#ifdef RMDIR
	/* rmdir looks and removes in one step. */
#ifdef MUTANT_empty_bucket_deleted_whole
	STEP(was_empty = (cur != NODIR && link[cur] == 0), killed);
	STEP(if
	     :: was_empty && cur != NODIR ->
		link[cur] = 0; unlinked = unlinked | BIT(cur); cur = NODIR; CHECK
	     :: else
	     fi; was_empty = 0, killed);
#else
	STEP(if
	     :: cur != NODIR && link[cur] == 0 -> unlinked = unlinked | BIT(cur); cur = NODIR
	     :: else
	     fi, killed);
#endif
#endif
#ifdef MUTANT_unreadable_stays
	STEP(listed = listed & ~BIT(OLDEST), killed);
#endif
#if defined(LOOK) && !defined(MUTANT_look_after_slots) && !defined(MUTANT_not_looked)
	LOOKS;
#endif
#ifndef MUTANT_slots_not_scanned
	SCAN(0);
	SCAN(1);
	SCAN(GET);
#endif
#if defined(LOOK) && defined(MUTANT_look_after_slots)
	LOOKS;
#endif
#endif
	DELETE(1);
	DELETE(2);
	DELETE(3);
killed:
	atomic {
		if :: collecting == COLLECTOR -> collecting = 0 :: else fi;
#ifdef BOOT
		orphans = 0; asked = 0;
#endif
		listed = 0; spared = 0; dir = 0; dead = 0; round++;
		if :: round < COLLECTIONS -> goto begin :: else fi;
		round = 0; ended++ }
}
#endif

/* ---- verify ---------------------------------------------------------------------------------- */

#ifdef VERIFY
/* A link moves one way only: staging, bucket, with its bucket retired/buckets, by an exchange back
 * into staging, retired/links. A process that looks in that order can't miss it. */
proctype verify()
{
	byte archived, named, dir;

	atomic { archived = archive };
	atomic { named = named | BIT(staged[0]) | BIT(old[0]) };
	atomic { named = named | BIT(staged[1]) | BIT(old[1]) };
	LOOKUP(ends);
	atomic { NOW named = named | BIT(link[dir]); dir = 0 };
#ifndef MUTANT_refreshed_buckets_listed_last
	atomic { if :: ASIDE(0) -> named = named | BIT(link[0]) :: else fi };
	atomic { if :: ASIDE(1) -> named = named | BIT(link[1]) :: else fi };
#endif
#ifndef MUTANT_staging_listed_once
	atomic { named = named | BIT(staged[0]) | BIT(old[0]) };
	atomic { named = named | BIT(staged[1]) | BIT(old[1]) };
#endif
#ifdef MUTANT_refreshed_buckets_listed_last
	atomic { if :: ASIDE(0) -> named = named | BIT(link[0]) :: else fi };
	atomic { if :: ASIDE(1) -> named = named | BIT(link[1]) :: else fi };
#endif
	atomic { named = named | LISTED };
	/* A stage may have been dropped since. So an entry without a name is looked at again. */
	atomic { assert(NoFalseOrphan || (archived & archive & ~named) == 0) };
ends:
	atomic { archived = 0; named = 0; dir = 0; ended++ }
}
#endif

#ifdef OUTLIVES
proctype child()
{
	if
	:: atomic { !alive[0] && !HAS(archive, ID(0)) -> archive = archive | BIT(ID(0)) }
	:: true
	fi;
	ended++
}
#endif

/* ---- the end --------------------------------------------------------------------------------- */

#ifdef GETTER
#define CAST_GETTER 1
#else
#define CAST_GETTER 0
#endif
#ifdef REMOVER
#define CAST_REMOVER 1
#else
#define CAST_REMOVER 0
#endif
#ifdef SECOND
#define CAST_SECOND 1
#else
#define CAST_SECOND 0
#endif
#ifdef VERIFY
#define CAST_VERIFY 1
#else
#define CAST_VERIFY 0
#endif
#ifdef OUTLIVES
#define CAST_CHILD 1
#else
#define CAST_CHILD 0
#endif
#define CAST (PUBLISHERS + (COLLECTIONS > 0) + CAST_GETTER + CAST_REMOVER + (REFRESHES > 0) + \
	CAST_SECOND + CAST_VERIFY + CAST_CHILD)

#ifdef MUTANT_reap_link_first
#define LAST_REAP TAKE_LINK(0); TAKE_LINK(1); TAKE_OLD(0); TAKE_OLD(1)
#else
#define LAST_REAP TAKE_OLD(0); TAKE_OLD(1); TAKE_LINK(0); TAKE_LINK(1)
#endif
#define LAST_FLATTEN(d) if :: ASIDE(d) && link[d] != 0 -> RETIRE(link[d]); link[d] = 0 :: else fi
#define LAST_NAMES (LINKS | BIT(link[cur]) | IN_ASIDE | LISTED)
#define LAST_GIVE_NAME(i) \
	if :: HAS(archive, i) && !HAS(LAST_NAMES, i) -> retired[i]++ :: else fi
#if defined(LOOK) && !defined(MUTANT_not_looked)
#define LAST_LOOK(i)    (!READABLE(i) || link[cur] != i)
#else
#define LAST_LOOK(i)    1
#endif
#ifdef MUTANT_unreadable_stays
#define LAST_FIRST      2
#else
#define LAST_FIRST      1
#endif
#define LAST_DELETE(i) \
	if \
	:: i >= LAST_FIRST && retired[i] > 0 -> \
		if :: LAST_LOOK(i) -> DELETED(i) :: else fi; \
		retired[i] = 0; CHECK \
	:: else \
	fi

init
{
	atomic {
		link[0] = OLDEST; alive[0] = 1; alive[1] = 1; alive[2] = 1;
#ifdef COPIED
		retired[OLDEST] = 1;
#endif
#ifdef CUT
		alive[1] = 0; staged[1] = 1; old[1] = 3;
		archive = archive | BIT(3); filled = filled | BIT(3); recorded = recorded | BIT(3);
#endif
#if PUBLISHERS > 0
		run publisher(0);
#endif
#if PUBLISHERS > 1
		run publisher(1);
#endif
#ifdef GETTER
		run getter();
#endif
#ifdef REMOVER
		run remover();
#endif
#if REFRESHES > 0
		run refresher();
#endif
#if COLLECTIONS > 0
		run collector();
#endif
#ifdef SECOND
		run collector();
#endif
#ifdef VERIFY
		run verify();
#endif
#ifdef OUTLIVES
		run child();
#endif
	}
	/* All processes have ended, in whatever way. One undisturbed collection must leave exactly
	 * what is live. */
	atomic {
		ended == CAST ->
		slot[0] = 0; slot[1] = 0; slot[2] = 0;
		LAST_REAP;
#ifdef BOOT
#ifdef OUTLIVES
		settled = 0;                    /* and the machine was started anew */
#endif
		if
		:: !settled -> LAST_GIVE_NAME(1); LAST_GIVE_NAME(2); LAST_GIVE_NAME(3)
		:: else
		fi;
#endif
		LAST_FLATTEN(0); LAST_FLATTEN(1); LAST_FLATTEN(2);
		LAST_DELETE(1); LAST_DELETE(2); LAST_DELETE(3);
		CHECK;
#ifndef FAKE_LOCK
		assert(NoLeak || archive == (BIT(link[cur]) & ~1));
#endif
		assert(NoLeak || (staged[0] == 0 && staged[1] == 0 && old[0] == 0 && old[1] == 0));
		assert(NoLeak || (sharers == 0 && exclusive == 0 && collecting == 0));
		assert(NoLeak || LISTED == 0)
	}
}
