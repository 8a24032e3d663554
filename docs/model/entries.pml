/* SPDX-License-Identifier: MIT */
/* Entries of today's format (entries2.pml has the next one): publish, get, remove, evict, refresh,
 * reap, collect and verify, with a kill between any two steps.
 *
 * There is one bucket with one key. Each file system operation is one atomic step. The cast and the
 * size are chosen with -D (the script `run` lists the combinations):
 *
 *   PUBLISHERS=n   0 to 2 processes, each publishing one new entry under the key
 *   GETTER         one process that gets the key, uses the entry for a while, and lets go
 *   REMOVER        one process that removes the key, or evicts the entry that it has picked. A
 *                  repair of a link that leads nowhere is the same as an evict
 *   REFRESHES=n    0 to 2 refreshes of the bucket
 *   COLLECTORS=n   0 to 2 collections; a file system that fakes the collector's lock allows 2
 *   VERIFY         one verify, in place of a collection
 *   LATE           path resolution is not atomic: "b" is looked up in one step, and "k" inside what
 *                  was found in another. A refresh may come between the two, so that a link is read
 *                  from, or lands in, a directory that was just moved aside
 *   NO_EXCHANGE    the file system can't exchange two names: publish takes the lock exclusively,
 *                  retires the old link, and then renames the new one into place
 *   PLAIN_RENAME   nor can it refuse to rename over an existing name: renameat2 has no flags
 *   FAKE_LOCK      the bucket's lock keeps no process out
 *   RMDIR          the collection removes the bucket's directory if it is empty; the casts have room
 *                  for one such removal and one refresh
 *   COPIED         the live link was copied into retired/links by hand before the start
 *
 * Each MUTANT_x takes one step of the protocol out, or exchanges two, and must be caught.
 */
#ifndef PUBLISHERS
#define PUBLISHERS 0
#endif
#ifndef REFRESHES
#define REFRESHES 0
#endif
#ifndef COLLECTORS
#define COLLECTORS 0
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
byte archive = BIT(OLDEST);
byte retired;           /* the ids that retired/links names */
byte staged[2];         /* the link in each publisher's staging area */
byte slot[3];           /* one lease slot for each participant is enough */

/* In the kernel. A participant is alive while its lock is held. When it is killed, the kernel frees
 * all its locks. */
bit alive[3];
byte sharers;
bit exclusive;

/* History, kept for the invariants only. */
byte held[3];           /* the lease each participant has been promised */
byte born = BIT(OLDEST);/* ids that were ever found under the key */
byte left;              /* ids whose link left its bucket */
byte gone;              /* ids under the key before a refresh, or a remove, that has returned */
bit taken;              /* a remove, evict or refresh has taken effect, so a miss is right */
byte ended;

/* The invariants' names appear in the text of the assertion that fails. All are constant 0. */
hidden byte Complete, NeverBack, LeasedStays, GoneIsGone, NoLeak, Meant, NeverMissed, NoFalseOrphan;
#ifdef COPIED
#define NamedOnce 1     /* the copy breaks it from the start; the others must hold all the same */
#else
hidden byte NamedOnce;
#endif

#define NAMES(i) \
	((link[0] == i) + (link[1] == i) + (link[2] == i) + (staged[0] == i) + (staged[1] == i) + \
	 HAS(retired, i))

/* This is checked after each step that changes the disk or a promise. What no step changes needs no
 * second look, so it holds at every instant. */
#define CHECK \
	assert(Complete || link[cur] == 0 || HAS(archive, link[cur])); \
	assert(NamedOnce || ( \
		(!HAS(archive, 1) || NAMES(1) == 1) && \
		(!HAS(archive, 2) || NAMES(2) == 1) && \
		(!HAS(archive, 3) || NAMES(3) == 1))); \
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

#define RETIRE(i) \
	assert(NamedOnce || !HAS(retired, i)); \
	retired = retired | BIT(i); \
	left = left | BIT(i)

#ifdef FAKE_LOCK
#define UNLOCK_SHARED    skip
#define UNLOCK_EXCLUSIVE skip
#define UNLOCK_PUBLISH   skip
#else
#define LOCK_SHARED      !exclusive -> sharers++
#define LOCK_EXCLUSIVE   (!exclusive && sharers == 0) -> exclusive = 1
#define UNLOCK_SHARED    sharers--
#define UNLOCK_EXCLUSIVE exclusive = 0
#ifdef MUTANT_publish_shared
#define LOCK_PUBLISH     LOCK_SHARED
#define UNLOCK_PUBLISH   UNLOCK_SHARED
#else
#define LOCK_PUBLISH     LOCK_EXCLUSIVE
#define UNLOCK_PUBLISH   UNLOCK_EXCLUSIVE
#endif
#endif

/* ---- publish --------------------------------------------------------------------------------- */

#define LAND \
	assert(NeverBack || !HAS(left, ID(me))); \
	link[dir] = ID(me); \
	if :: dir == cur -> born = born | BIT(ID(me)) :: else fi

#if PUBLISHERS > 0
proctype publisher(byte me)
{
	byte dir;

	/* (1) The lease that publish will return. It comes before the link can be seen, because a
	 * link that can be seen can be retired. */
#ifndef MUTANT_lease_after_publish
	STEP(slot[me] = ID(me), killed);
#endif
	/* (3) and (4). The link comes first, so that the archive never holds what no link names. */
#ifdef MUTANT_archive_before_link
	STEP(archive = archive | BIT(ID(me)); CHECK, killed);
	STEP(staged[me] = ID(me), killed);
#else
	STEP(staged[me] = ID(me), killed);
	STEP(archive = archive | BIT(ID(me)); CHECK, killed);
#endif

	/* (5) Publish reads the key's link, and then exchanges or renames into place. What it read
	 * is only a guess at which of the two will work, so the read is not modelled. Here the
	 * right one is tried, or the wrong one, which fails and is tried again. */
#ifndef NO_EXCHANGE
#ifndef FAKE_LOCK
	STEP(LOCK_SHARED, killed);
#endif
again:
	LOOKUP(killed_sharing);
	if
	:: atomic { NOW
		if
		:: dir == NODIR ->
			/* ENOENT: no bucket. mkdir, which may find that another process was faster
			 * */
			if :: cur == NODIR -> cur = made; made++ :: else fi;
			dir = 0; goto again
		:: dir != NODIR && HAS(unlinked, dir) ->
			/* ENOENT: the directory was moved aside, and removed since */
			dir = 0; goto again
		:: dir != NODIR && !HAS(unlinked, dir) && link[dir] != 0 ->
#ifdef MUTANT_rename_over
			staged[me] = 0;
#else
			staged[me] = link[dir];           /* RENAME_EXCHANGE */
#endif
			left = left | BIT(link[dir]);
			LAND
		:: dir != NODIR && !HAS(unlinked, dir) && link[dir] == 0 ->
			staged[me] = 0;                   /* RENAME_NOREPLACE */
			LAND
		fi;
#ifndef MUTANT_lease_after_publish
		held[me] = ID(me);
#endif
#ifndef MUTANT_old_link_put_back
		dir = 0;
#endif
		CHECK
	   }
	:: atomic { true -> dir = 0; goto again }       /* ENOENT or EEXIST: the guess was wrong */
	:: atomic { true -> goto killed_sharing }
	fi;
#ifdef MUTANT_old_link_put_back
	/* A publish that is cancelled late, and "rolls back" by one more exchange. */
	if
	:: atomic { staged[me] != 0 && link[dir] == ID(me) ->
		assert(NeverBack || !HAS(left, staged[me]));
		link[dir] = staged[me]; staged[me] = ID(me); left = left | BIT(ID(me));
		CHECK }
	:: true
	fi;
#endif
#ifndef FAKE_LOCK
	STEP(UNLOCK_SHARED, killed_sharing);
#endif
#else /* NO_EXCHANGE */
#ifndef FAKE_LOCK
	STEP(LOCK_PUBLISH, killed);
#endif
again:
#ifndef MUTANT_old_link_not_retired
	LOOKUP(killed_alone);
	STEP(NOW                                /* retire the old link; ENOENT is as good */
		if
		:: link[dir] != 0 -> RETIRE(link[dir]); link[dir] = 0
		:: else
		fi; dir = 0; CHECK, killed_alone);
#endif
	LOOKUP(killed_alone);
	STEP(NOW
		if
		:: dir == NODIR ->
			if :: cur == NODIR -> cur = made; made++ :: else fi;
			dir = 0; goto again
		:: dir != NODIR && HAS(unlinked, dir) ->
			dir = 0; goto again
		:: dir != NODIR && !HAS(unlinked, dir) && link[dir] != 0 ->
#ifdef PLAIN_RENAME
			staged[me] = 0; left = left | BIT(link[dir]); LAND
#else
			dir = 0; goto again             /* EEXIST: the lock keeps no process out */
#endif
		:: dir != NODIR && !HAS(unlinked, dir) && link[dir] == 0 ->
			staged[me] = 0; LAND
		fi;
		held[me] = ID(me); dir = 0; CHECK, killed_alone);
#ifndef FAKE_LOCK
	STEP(UNLOCK_PUBLISH, killed_alone);
#endif
#endif

	/* (6) What came back is the old link. */
	if
	:: atomic { staged[me] != 0 ->
#ifndef MUTANT_old_link_deleted
		RETIRE(staged[me]);
#endif
		staged[me] = 0; CHECK }
	:: atomic { staged[me] == 0 }
	:: atomic { true -> goto killed }
	fi;
#ifdef MUTANT_lease_after_publish
	STEP(slot[me] = ID(me); held[me] = ID(me); CHECK, killed);
#endif
	STEP(held[me] = 0; slot[me] = 0, killed);       /* the caller releases the lease, */
	goto killed;                                    /* and ends */

#ifndef NO_EXCHANGE
killed_sharing:
	atomic { dir = 0; UNLOCK_SHARED; goto killed }
#else
killed_alone:
	atomic { dir = 0; UNLOCK_PUBLISH; goto killed }
#endif
killed:
	atomic { dir = 0; held[me] = 0; alive[me] = 0; ended++ }
}
#endif

/* ---- get ------------------------------------------------------------------------------------- */

#ifdef GETTER
proctype getter()
{
	byte dir, before;
#ifdef MUTANT_bucket_held_open
	dir = cur;                                                /* long ago */
#endif

	/* (1) and (2): the first read, or a guess, and the store. What was read may be out of date
	 * by the time it is stored, so any id will do. A slot that is read half written counts as
	 * not yet written. */
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

	/* (3) The second read decides. It takes effect when the directory is looked up, or later.
	 * */
#ifdef MUTANT_bucket_held_open
	before = gone;
	STEP(
#else
#ifdef LATE
	STEP(dir = cur; before = gone, killed);
	STEP(
#else
	STEP(dir = cur; before = gone;
#endif
#endif
		if
		:: link[dir] != 0 && link[dir] == slot[GET] ->
			assert(GoneIsGone || !HAS(before, slot[GET]));
			held[GET] = slot[GET]; CHECK
		:: link[dir] == 0 ->
#ifndef NO_EXCHANGE
			assert(NeverMissed || taken);
#endif
			slot[GET] = 0; goto killed        /* a miss */
		:: link[dir] != 0 && link[dir] != slot[GET] ->
#ifndef MUTANT_bucket_held_open
			dir = 0;
#endif
			before = 0; slot[GET] = 0; goto store
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

	/* Remove takes what is there. Evict takes one entry that it picked earlier from a listing,
	 * or nothing. */
	if
	:: meant = 0
	:: meant = 1
#if PUBLISHERS > 0
	:: meant = 2
#endif
	fi;
#ifdef MUTANT_evict_checks_before_lock
	atomic { if :: meant != 0 && link[cur] != meant -> goto ends :: else fi };
#endif
#ifndef MUTANT_evict_without_lock
#ifndef FAKE_LOCK
	STEP(LOCK_EXCLUSIVE, ends);
#endif
#endif
	atomic { before = born };
#ifndef MUTANT_evict_checks_before_lock
	if
	:: atomic { meant == 0 }
	:: atomic { meant != 0 }
		LOOKUP(killed);
		STEP(NOW if :: link[dir] != meant -> goto killed :: else fi; dir = 0, killed)
	fi;
#endif
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
	atomic { dir = 0;
#ifndef MUTANT_evict_without_lock
		UNLOCK_EXCLUSIVE;
#endif
		goto ends }
ends:
	atomic { dir = 0; meant = 0; before = 0; ended++ }
}
#endif

/* ---- refresh --------------------------------------------------------------------------------- */

#if REFRESHES > 0
proctype refresher()
{
	/* One rename, no lock. All that was under the key is gone when it returns. */
	if
	:: atomic { cur != NODIR -> cur = NODIR; gone = gone | born; taken = 1 }
#ifdef RMDIR
	:: atomic { cur == NODIR -> gone = gone | born }    /* ENOENT: there is no bucket */
#endif
	fi;
#if REFRESHES > 1
	if
	:: atomic { cur != NODIR -> cur = NODIR; gone = gone | born }
	:: true                                         /* or there is no second refresh */
	fi;
#endif
	ended++
}
#endif

/* ---- collect --------------------------------------------------------------------------------- */

#ifdef MUTANT_alive_for_dead
#define DEAD(p) 1
#else
#ifdef MUTANT_dead_for_alive
#define DEAD(p) 0
#else
#define DEAD(p) (!alive[p])
#endif
#endif

/* (1) One step for each of the dead: only its reaper looks at what a dead participant left.
 * participants.pml takes this step apart. */
#define REAP(p) \
	STEP(if \
	     :: DEAD(p) && staged[p] != 0 -> RETIRE(staged[p]); staged[p] = 0; CHECK \
	     :: else \
	     fi; \
	     if :: DEAD(p) -> slot[p] = 0 :: else fi, killed)
#define REAP_GETTER \
	STEP(if :: DEAD(GET) -> slot[GET] = 0 :: else fi, killed)

/* (2) A link is renamed out of the directory first and read afterwards, since a late publisher may
 * still exchange what is in the directory. */
#define ASIDE(d)   (d < made && d != cur && !HAS(unlinked, d))
#ifdef MUTANT_bucket_deleted_whole
#define EMPTY(d)   1
#else
#define EMPTY(d)   (link[d] == 0)
#endif
#define FLATTEN(d) \
	if \
	:: atomic { ASIDE(d) && link[d] != 0 -> RETIRE(link[d]); link[d] = 0; CHECK } \
	:: atomic { !(ASIDE(d) && link[d] != 0) } \
	:: atomic { true -> goto killed } \
	fi; \
	if \
	/* rmdir */ \
	:: atomic { ASIDE(d) && EMPTY(d) -> link[d] = 0; unlinked = unlinked | BIT(d); CHECK } \
	/* ENOTEMPTY: left to the next collection */ \
	:: atomic { !(ASIDE(d) && EMPTY(d)) } \
	:: atomic { true -> goto killed } \
	fi

#define SCAN(p)    STEP(listed = listed & ~BIT(slot[p]), killed)
#define SCAN_EARLY(p) STEP(leased = leased | BIT(slot[p]), killed)

/* (4) */
#ifdef MUTANT_unlink_before_move
#define DELETE(i) \
	if \
	:: atomic { HAS(listed, i) -> retired = retired & ~BIT(i); CHECK }; \
	   STEP(archive = archive & ~BIT(i); listed = listed & ~BIT(i); CHECK, killed) \
	:: atomic { !HAS(listed, i) } \
	fi
#else
#define DELETE(i) \
	if \
	/* ENOENT: an earlier collection was killed here */ \
	:: atomic { HAS(listed, i) -> archive = archive & ~BIT(i); CHECK }; \
	   /* ENOENT: a second collector was here */ \
	   STEP(retired = retired & ~BIT(i); listed = listed & ~BIT(i), killed) \
	:: atomic { !HAS(listed, i) } \
	:: atomic { true -> goto killed } \
	fi
#endif

#if COLLECTORS > 0
proctype collector()
{
	byte listed;
#ifdef MUTANT_empty_bucket_deleted_whole
	bit was_empty;
#endif
#ifdef MUTANT_read_in_place
	byte in_place;
#endif
#ifdef MUTANT_slots_before_links
	byte leased;
#endif
#if PUBLISHERS > 0
	REAP(0);
#endif
#if PUBLISHERS > 1
	REAP(1);
#endif
#ifdef GETTER
	REAP_GETTER;
#endif
#ifdef MUTANT_read_in_place
	/* The refreshed bucket's link is read where it is, and unlinked there later. */
	STEP(if :: ASIDE(0) -> in_place = link[0] :: else fi, killed);
#else
#if REFRESHES > 0
	FLATTEN(0);
#endif
#if REFRESHES > 1
	FLATTEN(1);
#endif
#endif
#ifdef MUTANT_slots_before_links
	SCAN_EARLY(0);
	SCAN_EARLY(1);
	SCAN_EARLY(GET);
	STEP(listed = retired & ~leased; leased = 0, killed);
#else
	/* (3) The links first, then the slots. What is retired now can't be leased anew, so an id
	 * that no slot says now is one that none ever will. */
#ifdef MUTANT_read_in_place
	STEP(listed = retired | (BIT(in_place) & ~1), killed);
#else
	STEP(listed = retired, killed);
#endif
#ifdef RMDIR
	/* The bucket's directory goes by rmdir, which looks and removes in one step. */
#ifdef MUTANT_empty_bucket_deleted_whole
	STEP(was_empty = (cur != NODIR && link[cur] == 0), killed);
	STEP(if
	     :: was_empty && cur != NODIR ->
		link[cur] = 0; unlinked = unlinked | BIT(cur); cur = NODIR; CHECK
	     :: else
	     fi; was_empty = 0, killed);
#else
	STEP(if
	     :: cur != NODIR && link[cur] == 0 ->
		unlinked = unlinked | BIT(cur); cur = NODIR; CHECK
	     :: else
	     fi, killed);
#endif
#endif
#if defined(COPIED) && !defined(MUTANT_record_unchecked) && !defined(MUTANT_slots_before_records)
	/* The record's own key, before the slots: an entry that its key still names can be leased
	 * anew. */
	STEP(listed = listed & ~BIT(link[cur]), killed);
#endif
#ifndef MUTANT_slots_not_scanned
#if PUBLISHERS > 0
	SCAN(0);
#endif
#if PUBLISHERS > 1
	SCAN(1);
#endif
#ifdef GETTER
	SCAN(GET);
#endif
#endif
#if defined(COPIED) && defined(MUTANT_slots_before_records)
	STEP(listed = listed & ~BIT(link[cur]), killed);
#endif
#endif
	DELETE(1);
#if PUBLISHERS > 0
	DELETE(2);
#endif
#if PUBLISHERS > 1
	DELETE(3);
#endif
#ifdef MUTANT_read_in_place
	STEP(if :: in_place != 0 -> link[0] = 0; CHECK :: else fi, killed);
#endif
killed:
	atomic { listed = 0;
#ifdef MUTANT_slots_before_links
		leased = 0;
#endif
		ended++ }
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
	atomic { named = named | BIT(staged[0]) };
	atomic { named = named | BIT(staged[1]) };
	LOOKUP(ends);
	atomic { NOW named = named | BIT(link[dir]); dir = 0 };
#ifndef MUTANT_refreshed_buckets_listed_last
	atomic { if :: ASIDE(0) -> named = named | BIT(link[0]) :: else fi };
	atomic { if :: ASIDE(1) -> named = named | BIT(link[1]) :: else fi };
#endif
#ifndef MUTANT_staging_listed_once
	atomic { named = named | BIT(staged[0]) };
	atomic { named = named | BIT(staged[1]) };
#endif
#ifdef MUTANT_refreshed_buckets_listed_last
	atomic { if :: ASIDE(0) -> named = named | BIT(link[0]) :: else fi };
	atomic { if :: ASIDE(1) -> named = named | BIT(link[1]) :: else fi };
#endif
	atomic { named = named | retired;
		assert(NoFalseOrphan || (archived & ~named) == 0) };
ends:
	atomic { archived = 0; named = 0; dir = 0; ended++ }
}
#endif

/* ---- the end --------------------------------------------------------------------------------- */

#define CAST (PUBLISHERS + COLLECTORS + CAST_GETTER + CAST_REMOVER + CAST_REFRESHER + CAST_VERIFY)
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
#if REFRESHES > 0
#define CAST_REFRESHER 1
#else
#define CAST_REFRESHER 0
#endif
#ifdef VERIFY
#define CAST_VERIFY 1
#else
#define CAST_VERIFY 0
#endif

#define LAST_REAP(p) \
	if :: DEAD(p) && staged[p] != 0 -> RETIRE(staged[p]); staged[p] = 0 :: else fi; \
	if :: DEAD(p) -> slot[p] = 0 :: else fi
#define LAST_FLATTEN(d) if :: ASIDE(d) && link[d] != 0 -> RETIRE(link[d]); link[d] = 0 :: else fi
#define LAST_DELETE(i) \
	if \
	:: HAS(retired, i) && slot[0] != i && slot[1] != i && slot[2] != i && link[cur] != i -> \
		archive = archive & ~BIT(i); retired = retired & ~BIT(i) \
	:: else \
	fi

init
{
	atomic {
		link[0] = OLDEST; alive[0] = 1; alive[1] = 1; alive[2] = 1;
#ifdef COPIED
		retired = BIT(OLDEST);
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
#if COLLECTORS > 0
		run collector();
#endif
#if COLLECTORS > 1
		run collector();
#endif
#ifdef VERIFY
		run verify();
#endif
	}
	/* All processes have ended, in whatever way. One undisturbed collection must leave exactly
	 * what is live. */
	atomic {
		ended == CAST ->
		LAST_REAP(0); LAST_REAP(1);
		LAST_FLATTEN(0); LAST_FLATTEN(1); LAST_FLATTEN(2);
		if :: DEAD(GET) -> slot[GET] = 0 :: else fi;
		LAST_DELETE(1); LAST_DELETE(2); LAST_DELETE(3);
		CHECK;
		assert(NoLeak || archive == (BIT(link[cur]) & ~1));
		assert(NoLeak ||
			(staged[0] == 0 && staged[1] == 0 && sharers == 0 && exclusive == 0));
#ifndef COPIED
		assert(NoLeak || retired == 0)
#endif
	}
}
