/* SPDX-License-Identifier: MIT */
/* Bucket pointers: buckets/b is a link that names generations/<g>/,
 * which holds the keys. A refresh renames that link. Generations are made and taken apart here,
 * beside publish, get, evict, reap and collect, with a kill between any two steps.
 *
 * There is one bucket with one key. Generation 1 is there at the start, with entry 1 under the key.
 * Publisher p may make generation p + 2, once, and publishes entry p + 2. Every process reads the
 * pointer in one step, and acts in the generation that it names in another. With pointers that are
 * symlinks the kernel resolves both in one call, but not in one instant. With small files they are
 * two calls. So one model is right for both kinds. Chosen with -D:
 *
 *   PUBLISHERS=n   0 to 2 publishers
 *   GETTER         one process that gets the key, uses the entry for a while, and lets go
 *   EVICTOR        one process that evicts an entry that it has picked
 *   REFRESHES=n    0 to 2 refreshes
 *   COLLECTIONS=n  0 to 2 collections, one after the other. A killed one is followed by the next
 *   REPLACE        record, then replace, under the bucket's lock, exclusive (entries.pml);
 *                  otherwise an exchange, under the shared lock
 *   PLAIN_RENAME   no rename can refuse to replace: a pointer is placed by a look and a rename,
 *                  under the bucket's lock, exclusive
 *   EMPTIED        the collection retires the pointer of a bucket that has no keys, under the
 *                  bucket's lock, exclusive, which it tries and does not wait for
 *   COPIED         the link that is live at the start has a second name in retired/links (by hand,
 *                  or after a power cut), and the collector looks at the key
 *   ORPHAN         generation 3 of an earlier boot is there, with entry 3 under the key, and no
 *                  pointer names it
 *   BOOT           the first collection of a boot lists generations/ once, after its reap, and
 *                  gives what an earlier boot has made, and no pointer names, a name in
 *                  retired/buckets
 *   ANY_BOOT       the boot of a generation can't be told: each counts as an earlier boot's
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

/* Words. Ids and generations are 1, 2 and 3, and 0 is "none". A set of them is a mask. */
#define ID(p)      ((p) + 2)
#define GEN(p)     ((p) + 2)
#define BIT(i)     (1 << (i))
#define HAS(s, i)  (((s) >> (i)) & 1)
#define GET        2

/* On disk. */
byte pointer = 1;               /* buckets/b: the generation that it names; 0: no bucket */
byte aside;                     /* retired/buckets: the generations that pointers there name */
byte begun[2];                  /* g-<id> in staging: the generation that it names */
byte dirs = BIT(1);             /* the directories generations/<g> */
byte link[4];                   /* in each, what the key's link names; link[0] is always 0 */
byte archive = BIT(1), retired[4], staged[2], old[2], slot[3];
bit settled;                    /* in boots/: this boot's first collection has listed them */

/* In the kernel. */
bit alive[3], exclusive;
byte sharers;

/* History, kept for the invariants only. */
byte held[3], born = BIT(1), left, gone, ended;
bit made[2];                    /* a publisher has made its one generation */
bit taken, must;
hidden byte Complete, Pointed, PointedOnce, NamedOnce, NeverBack, LeasedStays, GoneIsGone,
	NeverMissed, NoLeak, Meant, Unasked;

#define PLACES(i)  ((link[1] == i) + (link[2] == i) + (link[3] == i) + (staged[0] == i) + \
	(staged[1] == i))
#define OLDS(i)    ((old[0] == i) + (old[1] == i))
#ifdef COPIED
#define NAMED(i)   1
#else
#ifdef REPLACE
#define NAMED(i)   (PLACES(i) <= 1 && PLACES(i) + retired[i] <= 2 && \
	PLACES(i) + OLDS(i) + retired[i] >= 1)
#else
#define NAMED(i)   (PLACES(i) + retired[i] == 1)
#endif
#endif
#define IF_THERE(i) (!HAS(archive, i) || NAMED(i))
#define POINTERS(g) ((pointer == g) + HAS(aside, g) + (begun[0] == g) + (begun[1] == g))
#ifdef ORPHAN
#define ONE(g)     (POINTERS(g) <= 1 && (g == 3 || !HAS(dirs, g) || POINTERS(g) == 1))
#else
#define ONE(g)     (!HAS(dirs, g) || POINTERS(g) == 1)
#endif
#define CHECK \
	assert(Complete || link[pointer] == 0 || HAS(archive, link[pointer])); \
	assert(Pointed || pointer == 0 || HAS(dirs, pointer)); \
	assert(PointedOnce || (ONE(1) && ONE(2) && ONE(3))); \
	assert(NamedOnce || (IF_THERE(1) && IF_THERE(2) && IF_THERE(3))); \
	assert(LeasedStays || ( \
		(held[0] == 0 || HAS(archive, held[0])) && \
		(held[1] == 0 || HAS(archive, held[1])) && \
		(held[2] == 0 || HAS(archive, held[2]))))

/* One step, or a kill instead of it. */
#define STEP(x, killed)  if :: atomic { x } :: atomic { true -> goto killed } fi
#define RETIRE(i)  retired[i]++; left = left | BIT(i)
#define LOCK_EXCLUSIVE   (!exclusive && sharers == 0) -> exclusive = 1
#if defined(REPLACE) || defined(PLAIN_RENAME)
#ifndef MUTANT_generation_made_under_shared_lock
#define LOCK       LOCK_EXCLUSIVE
#define UNLOCK     exclusive = 0
#endif
#endif
#ifndef LOCK
#define LOCK       !exclusive -> sharers++
#define UNLOCK     sharers--
#endif

/* ---- publish --------------------------------------------------------------------------------- */

#if PUBLISHERS > 0
proctype publisher(byte me)
{
	byte g;
	/* entries.pml takes these steps apart. */
	STEP(staged[me] = ID(me), killed);
	STEP(archive = archive | BIT(ID(me)); slot[me] = ID(me); CHECK, killed);
	STEP(LOCK, killed);
again:
	STEP(g = pointer, killed_locked);
	if
	:: atomic { g == 0 && !made[me] -> made[me] = 1 };
		/* A generation: its name, its directory, its place. */
#ifdef MUTANT_generation_before_its_name
		STEP(dirs = dirs | BIT(GEN(me)); CHECK, killed_locked);
		STEP(begun[me] = GEN(me), killed_locked);
#else
		STEP(begun[me] = GEN(me), killed_locked);
#ifndef MUTANT_placed_before_made
		STEP(dirs = dirs | BIT(GEN(me)); CHECK, killed_locked);
#endif
#endif
#ifdef PLAIN_RENAME
		STEP(g = pointer, killed_locked);
		STEP(if :: g == 0 -> pointer = GEN(me); begun[me] = 0; CHECK :: else fi; g = 0,
			killed_locked);
#else
#ifdef MUTANT_placed_by_hard_link
		STEP(if :: pointer == 0 -> pointer = GEN(me); g = 1 :: else g = 0 fi,
			killed_locked);
		STEP(if :: g == 1 -> begun[me] = 0; CHECK :: else fi; g = 0, killed_locked);
#else
		STEP(if :: pointer == 0 -> pointer = GEN(me); begun[me] = 0; CHECK :: else fi;
			g = 0, killed_locked);
#endif
#endif
#ifdef MUTANT_placed_before_made
		STEP(dirs = dirs | BIT(GEN(me)); CHECK, killed_locked);
#endif
		if
		:: atomic { begun[me] == 0 }
		:: atomic { begun[me] != 0 };
			/* Another publisher was faster: the directory goes, then its name. */
#ifdef MUTANT_lost_name_goes_first
			STEP(begun[me] = 0; CHECK, killed_locked);
			STEP(dirs = dirs & ~BIT(GEN(me)); CHECK, killed_locked)
#else
			STEP(dirs = dirs & ~BIT(begun[me]); CHECK, killed_locked);
			STEP(begun[me] = 0; CHECK, killed_locked)
#endif
		fi;
		goto again
	:: atomic { g == 0 && made[me] ->
		/* The model has no further generation: publish gives up. */
		RETIRE(staged[me]); staged[me] = 0; UNLOCK; CHECK; goto killed }
	:: atomic { g != 0 }
	fi;
#ifdef REPLACE
	STEP(old[me] = link[g]; CHECK, killed_locked);
#endif
	STEP(
		if
		:: !HAS(dirs, g) -> g = 0;      /* ENOENT: refreshed, and taken apart */
#ifdef REPLACE
			goto unwritten
#else
			goto again
#endif
		:: HAS(dirs, g) ->
			if :: link[g] != 0 -> left = left | BIT(link[g]) :: else fi;
#ifdef REPLACE
			staged[me] = 0;
#else
			staged[me] = link[g];
#endif
			assert(NeverBack || !HAS(left, ID(me)));
			link[g] = ID(me);
			if :: g == pointer -> born = born | BIT(ID(me)) :: else fi;
			held[me] = ID(me); g = 0; CHECK
		fi, killed_locked);
	STEP(UNLOCK, killed_locked);
#ifdef REPLACE
	STEP(if :: old[me] != 0 -> RETIRE(old[me]); old[me] = 0; CHECK :: else fi, killed);
#else
	STEP(if :: staged[me] != 0 -> RETIRE(staged[me]); staged[me] = 0; CHECK :: else fi, killed);
#endif
	STEP(held[me] = 0; slot[me] = 0, killed);
	goto killed;
#ifdef REPLACE
unwritten:
	STEP(old[me] = 0; CHECK, killed_locked);
	goto again;
#endif
killed_locked:
	atomic { g = 0; UNLOCK; goto killed }
killed:
	atomic { g = 0; held[me] = 0; alive[me] = 0; ended++ }
}
#endif

/* ---- get ------------------------------------------------------------------------------------- */

#ifdef GETTER
/* Any guess of the id, the store, then the pointer, then the link in its generation. */
proctype getter()
{
	byte g, before;
	atomic { before = gone; taken = 0; must = (link[pointer] != 0) };
again:
#ifdef MUTANT_pointer_read_before_store
	STEP(g = pointer, killed);
#endif
#ifdef MUTANT_pointer_guessed
	if :: g = 1 :: g = 2 :: g = 3 :: atomic { true -> goto killed } fi;
#endif
	if
	:: slot[GET] = 1
	:: slot[GET] = 2
	:: slot[GET] = 3
	:: atomic { true -> goto killed }
	fi;
#if !defined(MUTANT_pointer_read_before_store) && !defined(MUTANT_pointer_guessed)
	STEP(g = pointer, killed);
#endif
	if
	:: atomic { link[g] != 0 && link[g] == slot[GET] -> skip }
	:: atomic { link[g] == 0 ->
#ifndef MUTANT_pointer_guessed
		assert(NeverMissed || !must || taken);
#endif
		slot[GET] = 0; goto killed }                      /* a miss */
	:: atomic { link[g] != 0 && link[g] != slot[GET] -> slot[GET] = 0; g = 0; goto again }
	:: atomic { true -> goto killed }
	fi;
	/* Leased from the last read on: a step of a collector that comes before this one is too
	 * late to be seen. */
	atomic { held[GET] = slot[GET];
		assert(GoneIsGone || !HAS(before, slot[GET])); g = 0; before = 0; CHECK };
	STEP(held[GET] = 0; slot[GET] = 0, killed);
killed:
	atomic { g = 0; before = 0; must = 0; taken = 0; held[GET] = 0; alive[GET] = 0; ended++ }
}
#endif

/* ---- evict ----------------------------------------------------------------------------------- */

#ifdef EVICTOR
/* The check and the rename each resolve the pointer. A refresh and a publish between the two would
 * make them different generations; the lock keeps the publish out. */
proctype evictor()
{
	byte g, meant;
	if :: meant = 1 :: meant = 2 fi;
#ifndef MUTANT_evict_without_lock
	STEP(LOCK_EXCLUSIVE, ends);
#endif
	STEP(g = pointer, killed);
	STEP(if :: link[g] != meant -> goto killed :: else fi, killed);
	STEP(g = pointer, killed);
	STEP(if
	     :: link[g] != 0 ->
		assert(Meant || link[g] == meant);
		taken = 1; RETIRE(link[g]); link[g] = 0; CHECK
	     :: else
	     fi, killed);
killed:
	atomic { g = 0; meant = 0;
#ifndef MUTANT_evict_without_lock
		exclusive = 0;
#endif
		goto ends }
ends:
	atomic { g = 0; meant = 0; ended++ }
}
#endif

/* ---- refresh --------------------------------------------------------------------------------- */

#if REFRESHES > 0
#define REFRESH \
	if \
	:: atomic { pointer != 0 -> \
		aside = aside | BIT(pointer); pointer = 0; gone = gone | born; taken = 1; CHECK } \
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

#define DEAD(p) (!alive[p])
#define TAKE_OLD(p) \
	if \
	:: DEAD(p) && old[p] != 0 && staged[p] != 0 -> old[p] = 0; CHECK \
	:: DEAD(p) && old[p] != 0 && staged[p] == 0 -> RETIRE(old[p]); old[p] = 0; CHECK \
	:: else \
	fi
#define TAKE_LINK(p) \
	if :: DEAD(p) && staged[p] != 0 -> RETIRE(staged[p]); staged[p] = 0; CHECK :: else fi
#define TAKE_GEN(p) \
	if \
	:: DEAD(p) && begun[p] != 0 -> aside = aside | BIT(begun[p]); begun[p] = 0; CHECK \
	:: else \
	fi
#ifdef REPLACE
#define REAP_OLD(p) STEP(if :: dead -> TAKE_OLD(p) :: else fi, killed)
#else
#define REAP_OLD(p) skip
#endif
#define REAP(p) \
	STEP(dead = DEAD(p), killed); \
	REAP_OLD(p); \
	STEP(if :: dead -> TAKE_LINK(p) :: else fi, killed); \
	STEP(if :: dead -> TAKE_GEN(p) :: else fi, killed); \
	STEP(if :: dead -> slot[p] = 0 :: else fi; dead = 0, killed)

/* What an earlier boot has made and no pointer names gets a name. The places of names are listed in
 * the order in which a pointer moves. So nothing rests on the boot that a name tells (ANY_BOOT). */
#ifdef ANY_BOOT
#define EARLIER dirs
#else
#ifdef ORPHAN
#define EARLIER (BIT(1) | BIT(3))
#else
#define EARLIER BIT(1)
#endif
#endif
#define BEGUN (BIT(begun[0]) | BIT(begun[1]))
#define GIVE_NAME(g) \
	STEP(if :: HAS(orphans, g) -> \
		assert(PointedOnce || POINTERS(g) == 0); aside = aside | BIT(g); CHECK \
	     :: else fi, killed)
#ifdef MUTANT_listed_in_any_order
#define FIND_NAMES \
	do \
	:: atomic { !HAS(asked, 0) -> orphans = orphans & ~BEGUN; asked = asked | 1 } \
	:: atomic { !HAS(asked, 1) -> orphans = orphans & ~BIT(pointer); asked = asked | 2 } \
	:: atomic { !HAS(asked, 2) -> orphans = orphans & ~aside; asked = asked | 4 } \
	:: atomic { asked == 7 -> asked = 0; break } \
	:: atomic { true -> goto killed } \
	od
#else
#define FIND_NAMES \
	STEP(orphans = orphans & ~BEGUN, killed); \
	STEP(orphans = orphans & ~BIT(pointer), killed); \
	STEP(orphans = orphans & ~aside, killed)
#endif
#define LIST_GENERATIONS \
	if \
	:: atomic { !settled -> orphans = dirs & EARLIER }; \
	   FIND_NAMES; \
	   GIVE_NAME(1); GIVE_NAME(2); GIVE_NAME(3); \
	   STEP(orphans = 0; settled = 1, killed) \
	:: atomic { settled } \
	:: atomic { true -> goto killed } \
	fi

/* The keys leave the generation first; then the directory goes, if no late publisher has put a link
 * into it; then its name, and only if the directory is gone. */
#define TAKE_KEYS(g) \
	if :: HAS(aside, g) && link[g] != 0 -> RETIRE(link[g]); link[g] = 0; CHECK :: else fi
#ifdef MUTANT_generation_deleted_whole
#define TAKE_DIR(g) \
	if \
	:: HAS(aside, g) && HAS(dirs, g) -> link[g] = 0; dirs = dirs & ~BIT(g); CHECK \
	:: else \
	fi
#else
#define TAKE_DIR(g) \
	if :: HAS(aside, g) && HAS(dirs, g) && link[g] == 0 -> dirs = dirs & ~BIT(g) :: else fi
#endif
#ifdef MUTANT_pointer_goes_whatever
#define TAKE_NAME(g) if :: HAS(aside, g) -> aside = aside & ~BIT(g); CHECK :: else fi
#else
#define TAKE_NAME(g) \
	if :: HAS(aside, g) && !HAS(dirs, g) -> aside = aside & ~BIT(g) :: else fi
#endif
#ifdef MUTANT_pointer_goes_first
#define FLATTEN(g) \
	STEP(TAKE_KEYS(g), killed); \
	STEP(if :: HAS(aside, g) && link[g] == 0 -> aside = aside & ~BIT(g); CHECK :: else fi, \
		killed)
#else
#define FLATTEN(g) \
	STEP(TAKE_KEYS(g), killed); \
	STEP(TAKE_DIR(g), killed); \
	STEP(TAKE_NAME(g), killed)
#endif

/* A bucket without keys: its pointer is retired, and the generation is taken apart like any other.
 */
#ifdef MUTANT_emptied_without_lock
#define EMPTY_BUCKET \
	STEP(g = pointer, killed); \
	STEP(if :: g != 0 && link[g] != 0 -> g = 0 :: else fi, killed); \
	STEP(if :: g != 0 && pointer != 0 -> \
		assert(Unasked || link[pointer] == 0); \
		aside = aside | BIT(pointer); pointer = 0; CHECK \
	     :: else fi; g = 0, killed)
#else
#define EMPTY_BUCKET \
	STEP(if :: !exclusive && sharers == 0 -> exclusive = 1; alone = 1 :: else fi, killed); \
	if \
	:: atomic { alone }; \
	   STEP(g = pointer, killed); \
	   STEP(if :: g != 0 && link[g] != 0 -> g = 0 :: else fi, killed); \
	   STEP(if :: g != 0 && pointer != 0 -> \
		assert(Unasked || link[pointer] == 0); \
		aside = aside | BIT(pointer); pointer = 0; CHECK \
		:: else fi; g = 0, killed); \
	   STEP(exclusive = 0; alone = 0, killed) \
	:: atomic { !alone } \
	fi
#endif

#define LISTED    (((retired[1] > 0) << 1) | ((retired[2] > 0) << 2) | ((retired[3] > 0) << 3))
#define SCAN(p)   STEP(listed = listed & ~BIT(slot[p]), killed)
#define UNLINK(i) \
	if :: retired[i] > 0 -> retired[i]-- :: else fi; \
	listed = listed & ~BIT(i); spared = spared & ~BIT(i); CHECK
#define LOOK(i) \
	STEP(g = pointer, killed); \
	STEP(if :: HAS(listed, i) && link[g] == i -> spared = spared | BIT(i) :: else fi; g = 0, \
		killed)
#define DELETE(i) \
	if \
	:: atomic { HAS(listed, i) && !HAS(spared, i) -> archive = archive & ~BIT(i); CHECK }; \
	   STEP(UNLINK(i), killed) \
	:: atomic { HAS(listed, i) && HAS(spared, i) -> UNLINK(i) } \
	:: atomic { !HAS(listed, i) } \
	:: atomic { true -> goto killed } \
	fi

#if COLLECTIONS > 0
proctype collector()
{
	byte listed, spared, g, round;
#ifdef BOOT
	byte orphans, asked;
#endif
	bit dead;
#ifdef EMPTIED
	bit alone;
#endif
begin:
#if PUBLISHERS > 0
	REAP(0);
#endif
#if PUBLISHERS > 1
	REAP(1);
#endif
#ifdef BOOT
	LIST_GENERATIONS;
#endif
	FLATTEN(1);
#if PUBLISHERS > 0
	FLATTEN(2);
#endif
#if PUBLISHERS > 1 || defined(ORPHAN)
	FLATTEN(3);
#endif
	STEP(listed = LISTED, killed);
#ifdef EMPTIED
	EMPTY_BUCKET;
#endif
#ifdef COPIED
	LOOK(1);
#endif
	SCAN(0);
	SCAN(1);
	SCAN(GET);
	DELETE(1);
	DELETE(2);
	DELETE(3);
killed:
	atomic {
#ifdef EMPTIED
		if :: alone -> exclusive = 0; alone = 0 :: else fi;
#endif
#ifdef BOOT
		orphans = 0; asked = 0;
#endif
		listed = 0; spared = 0; g = 0; dead = 0; round++;
		if :: round < COLLECTIONS -> goto begin :: else fi;
		round = 0; ended++ }
}
#endif

/* ---- the end --------------------------------------------------------------------------------- */

#ifdef GETTER
#define CAST_GETTER 1
#else
#define CAST_GETTER 0
#endif
#ifdef EVICTOR
#define CAST_EVICTOR 1
#else
#define CAST_EVICTOR 0
#endif
#define CAST (PUBLISHERS + (COLLECTIONS > 0) + CAST_GETTER + CAST_EVICTOR + (REFRESHES > 0))
#define LAST_GIVE_NAME(g) \
	if :: HAS(dirs, g) && POINTERS(g) == 0 -> aside = aside | BIT(g) :: else fi
#define LAST_FLATTEN(g) TAKE_KEYS(g); TAKE_DIR(g); TAKE_NAME(g)
#define LAST_DELETE(i) \
	if \
	:: retired[i] > 0 -> \
		if :: link[pointer] != i -> archive = archive & ~BIT(i) :: else fi; \
		retired[i] = 0 \
	:: else \
	fi
init
{
	atomic {
		link[1] = 1; alive[0] = 1; alive[1] = 1; alive[2] = 1;
#ifdef COPIED
		retired[1] = 1;
#endif
#ifdef ORPHAN
		dirs = dirs | BIT(3); link[3] = 3; archive = archive | BIT(3);
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
#ifdef EVICTOR
		run evictor();
#endif
#if REFRESHES > 0
		run refresher();
#endif
#if COLLECTIONS > 0
		run collector();
#endif
	}
	/* All processes have ended, in whatever way. One undisturbed collection must leave exactly
	 * what is live. */
	atomic {
		ended == CAST ->
		TAKE_OLD(0); TAKE_OLD(1); TAKE_LINK(0); TAKE_LINK(1); TAKE_GEN(0); TAKE_GEN(1);
#ifdef BOOT
		if :: !settled -> LAST_GIVE_NAME(1); LAST_GIVE_NAME(3) :: else fi;
#endif
		LAST_FLATTEN(1); LAST_FLATTEN(2); LAST_FLATTEN(3);
		LAST_DELETE(1); LAST_DELETE(2); LAST_DELETE(3);
		CHECK;
		assert(NoLeak || archive == (BIT(link[pointer]) & ~1));
		assert(NoLeak || dirs == (BIT(pointer) & ~1));
		assert(NoLeak || (aside == 0 && begun[0] == 0 && begun[1] == 0));
		assert(NoLeak || (staged[0] == 0 && staged[1] == 0 && old[0] == 0 && old[1] == 0));
		assert(NoLeak || LISTED == 0)
	}
}
