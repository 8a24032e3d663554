/* SPDX-License-Identifier: MIT */
/* Roots: a process links a key to a path DEST, which becomes a symlink to the entry's tree. The
 * entry is kept for as long as DEST leads there.
 *
 * Entry 1 is under the key at the start, and a publisher may replace it by entry 2 or remove both.
 * Each of two linkers gets the key, writes a file in roots/<id>/, makes its DEST, and lets the
 * lease go. A linker may hold its lease for long before it links, so that the entry is retired by
 * then. A user takes DEST 0 away, or unmounts its disk. The collector asks the roots of what is
 * retired. Every process may be killed between any two steps. Chosen with -D:
 *
 *   COLLECTIONS=n  1 or 2 collections, one after the other (a killed one is followed by the next)
 *   SAME_DEST      both linkers link to DEST 0, so that one takes it from the other
 *   UNIQUE         each root has a new name; otherwise its name is a hash of DEST, so that linking
 *                  to one DEST again replaces the root
 *   SWEEP          a root that leads elsewhere is dropped by itself, if another one keeps the
 *                  entry
 *   UNMOUNT        the disk of DEST 0 may be unmounted, and mounted again
 *   PRUNE          a prune drops roots of entry 1 whose DEST leads elsewhere, while that is live or
 *                  retired, and with no lock. It moves such a root to another name in roots/<id>/
 *                  first, where it still counts
 *   PUT_BACK       the user puts DEST back by hand, at any time. This is not promised, and the
 *                  search must fail
 */
#ifndef COLLECTIONS
#define COLLECTIONS 1
#endif
#define BIT(i)     (1 << (i))
#define HAS(s, i)  (((s) >> (i)) & 1)
#ifdef SAME_DEST
#define DEST(p)    0
#else
#define DEST(p)    (p)
#endif
#ifdef UNIQUE
#define NUMBER(p)  (p)
#define TEXT(n)    DEST(n)      /* the DEST that root number n names */
#else
#define NUMBER(p)  DEST(p)
#define TEXT(n)    (n)
#endif

/* On disk. */
byte key = 1;                   /* the id that the key names */
byte archive = BIT(1);
byte retired;                   /* the ids that retired/links names (a mask) */
byte slot[2];
byte dest[2];                   /* where DEST 0 and 1 lead: an id; 0: not there */
byte roots[3];                  /* roots/<id>: the numbers of its roots (a mask) */
byte aside[3];                  /* the same, of those that a prune has given another name */
bit unmounted;                  /* the disk on which DEST 0 lies is not there */

/* In the kernel, and history. */
bit alive[2] = 1;
byte held[2];
byte ended;
hidden byte Kept, LeasedStays, NoLeak, Retired;

#define CHECK \
	assert(Kept || ((dest[0] == 0 || HAS(archive, dest[0])) && \
		(dest[1] == 0 || HAS(archive, dest[1])))); \
	assert(LeasedStays || ((held[0] == 0 || HAS(archive, held[0])) && \
		(held[1] == 0 || HAS(archive, held[1]))))
#define STEP(x, killed)  if :: atomic { x } :: atomic { true -> goto killed } fi
#define REACHED(d) (d != 0 || !unmounted)

proctype linker(byte me)
{
	byte i;
	/* get */
	if :: slot[me] = 1 :: slot[me] = 2 :: atomic { true -> goto killed } fi;
	STEP(if :: key == slot[me] -> held[me] = slot[me]; i = slot[me] :: else -> goto killed fi,
		killed);
	/* The root, then DEST, then the lease goes. */
#ifdef MUTANT_lease_goes_first
	STEP(held[me] = 0; slot[me] = 0, killed);
#endif
#ifdef MUTANT_dest_before_root
	STEP(REACHED(DEST(me)) -> dest[DEST(me)] = i; CHECK, killed);
	STEP(roots[i] = roots[i] | BIT(NUMBER(me)); CHECK, killed);
#else
	STEP(roots[i] = roots[i] | BIT(NUMBER(me)), killed);
	STEP(REACHED(DEST(me)) -> dest[DEST(me)] = i; CHECK, killed);
#endif
	STEP(held[me] = 0; slot[me] = 0, killed);
killed:
	atomic { i = 0; held[me] = 0; alive[me] = 0; ended++ }
}

proctype publisher()
{
	/* Entry 2 is published. Then the key may be removed. */
	atomic { archive = archive | BIT(2) };
	if
	:: atomic { retired = retired | BIT(key); key = 2 }
	:: atomic { retired = retired | BIT(key) | BIT(2); key = 0 }
	fi;
	if
	:: atomic { key != 0 -> retired = retired | BIT(key); key = 0 }
	:: true
	fi;
	ended++
}

proctype user()
{
#ifdef PUT_BACK
	byte was;
	atomic { was = dest[0]; dest[0] = 0 };
	if :: atomic { dest[0] = was; CHECK } :: true fi;
#else
#ifdef UNMOUNT
	if :: atomic { unmounted = 1 } :: true fi;
	atomic { unmounted = 0 };
#endif
	if :: atomic { dest[0] = 0 } :: true fi;        /* or DEST is made to lead elsewhere */
#endif
	ended++
}

/* A root keeps its entry if DEST leads there, or if DEST's own disk is not mounted: then DEST is
 * absent, and the directory that should hold it lies on another device than the root recorded. */
#ifdef MUTANT_absent_is_gone
#define KEEPS(i, n) (REACHED(TEXT(n)) && dest[TEXT(n)] == i)
#else
#define KEEPS(i, n) (!REACHED(TEXT(n)) || dest[TEXT(n)] == i)
#endif
#define LOOK(i, n) \
	STEP(if :: HAS(roots[i] | aside[i], n) -> \
		if :: KEEPS(i, n) -> kept = kept | BIT(i) :: else stale = stale | BIT(n) fi \
	     :: else fi, killed)
#ifdef SWEEP
#define DROP_STALE(i, n) \
	STEP(if :: HAS(stale, n) && HAS(kept, i) -> roots[i] = roots[i] & ~BIT(n) :: else fi, \
		killed)
#define DROPS_STALE(i) DROP_STALE(i, 0); DROP_STALE(i, 1)
#else
#define DROPS_STALE(i) skip
#endif
#define LOOKS(i) \
	if \
	:: atomic { HAS(listed, i) }; LOOK(i, 0); LOOK(i, 1); DROPS_STALE(i); atomic { stale = 0 } \
	:: atomic { !HAS(listed, i) } \
	fi
#define SCAN(p)     STEP(listed = listed & ~BIT(slot[p]), killed)
#define MOVE(i)     STEP(archive = archive & ~BIT(i); CHECK, killed)
#define DROP(i)     STEP(roots[i] = 0; aside[i] = 0, killed)
#define UNLINK(i)   STEP(retired = retired & ~BIT(i), killed)
/* The entry, its roots, and the retired link last: until then the next collection finds them. */
#ifdef MUTANT_roots_dropped_last
#define GO(i)       MOVE(i); UNLINK(i); DROP(i)
#else
#define GO(i)       MOVE(i); DROP(i); UNLINK(i)
#endif
#ifdef MUTANT_swept_before_slots
/* A root whose DEST does not lead here is dropped, whether the entry is leased or not. */
#define SWEEP_EARLY(i, n) \
	STEP(if \
	     :: HAS(retired, i) && HAS(roots[i], n) && !KEEPS(i, n) -> \
		roots[i] = roots[i] & ~BIT(n) \
	     :: else \
	     fi, killed)
#endif
#define DELETE(i) \
	if \
	:: atomic { HAS(listed, i) && !HAS(kept, i) }; GO(i) \
	:: atomic { !(HAS(listed, i) && !HAS(kept, i)) } \
	fi

proctype collector()
{
	byte listed, kept, stale, round;
begin:
	STEP(if :: !alive[0] -> slot[0] = 0 :: else fi;
		if :: !alive[1] -> slot[1] = 0 :: else fi, killed);
#ifdef MUTANT_swept_before_slots
	SWEEP_EARLY(1, 0); SWEEP_EARLY(1, 1);
#endif
	STEP(listed = retired, killed);
#ifdef MUTANT_roots_before_slots
	LOOKS(1);
	LOOKS(2);
#endif
	SCAN(0);
	SCAN(1);
#if !defined(MUTANT_roots_before_slots) && !defined(MUTANT_roots_not_asked)
	LOOKS(1);
	LOOKS(2);
#endif
	DELETE(1);
	DELETE(2);
killed:
	atomic { listed = 0; kept = 0; stale = 0; round++;
		if :: round < COLLECTIONS -> goto begin :: else fi;
		round = 0; ended++ }
}

#ifdef PRUNE
/* The prune looks, moves aside, reads the slots, looks again, and drops. */
#ifdef MUTANT_pruned_in_place
#define MOVE_ASIDE(i, n)
#define FORGET(i, n) roots[i] = roots[i] & ~BIT(n)
#define MAY_FORGET(i, n) HAS(roots[i], n)
#else
#define MOVE_ASIDE(i, n) roots[i] = roots[i] & ~BIT(n); aside[i] = aside[i] | BIT(n);
#define FORGET(i, n) aside[i] = aside[i] & ~BIT(n)
#define MAY_FORGET(i, n) HAS(aside[i], n)
#endif
#define FIND(i, n) \
	STEP(if :: HAS(roots[i], n) && !KEEPS(i, n) -> \
		MOVE_ASIDE(i, n) found = found | BIT(i) \
	     :: else fi, killed)
#ifdef MUTANT_pruned_unasked
#define IS_UNUSED(i) HAS(found, i)
#else
#define IS_UNUSED(i) HAS(found, i) && !HAS(leased, i)
#endif
#ifdef MUTANT_pruned_without_look
#define IS_STALE(i, n) MAY_FORGET(i, n)
#else
#define IS_STALE(i, n) MAY_FORGET(i, n) && !KEEPS(i, n)
#endif
/* The second look and the end of the root are two steps. */
#define PRUNE_ROOT(i, n) \
	if \
	:: atomic { IS_UNUSED(i) && IS_STALE(i, n) }; STEP(FORGET(i, n), killed) \
	:: atomic { !(IS_UNUSED(i) && IS_STALE(i, n)) } \
	fi

proctype pruner()
{
	byte found, leased;
	FIND(1, 0); FIND(1, 1);
	STEP(leased = leased | BIT(slot[0]), killed);
	STEP(leased = leased | BIT(slot[1]), killed);
	PRUNE_ROOT(1, 0); PRUNE_ROOT(1, 1);
killed:
	atomic { found = 0; leased = 0; ended++ }
}
#define PROCESSES 6
#else
#define PROCESSES 5
#endif

#define LEADS(i)   (dest[0] == i || dest[1] == i)
#define ROOTED(i)  ((HAS(roots[i] | aside[i], 0) && dest[TEXT(0)] == i) || \
	(HAS(roots[i] | aside[i], 1) && dest[TEXT(1)] == i))
#define LAST(i) \
	if \
	:: HAS(retired, i) && !ROOTED(i) -> \
		archive = archive & ~BIT(i); roots[i] = 0; aside[i] = 0; retired = retired & ~BIT(i) \
	:: else \
	fi
init
{
	atomic { alive[0] = 1; alive[1] = 1;
		run linker(0); run linker(1); run publisher(); run user(); run collector();
#ifdef PRUNE
		run pruner()
#endif
	}
	/* All processes have ended, in whatever way. One undisturbed collection leaves what is
	 * live and what a DEST leads to. */
	atomic {
		ended == PROCESSES ->
		LAST(1); LAST(2);
		CHECK;
		assert(NoLeak || !HAS(archive, 1) || key == 1 || LEADS(1));
		assert(NoLeak || !HAS(archive, 2) || key == 2 || LEADS(2));
		assert(NoLeak || (((roots[1] | aside[1]) == 0 || HAS(archive, 1)) &&
			((roots[2] | aside[2]) == 0 || HAS(archive, 2))));
		assert(Retired || key == 1 || !HAS(archive, 1) || HAS(retired, 1))
	}
}
