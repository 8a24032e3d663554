/* SPDX-License-Identifier: MIT */
/* Pins beside bucket pointers, which no code has yet. A pin is a file pins/<bucket>/<key>.
 * It is not in the bucket's generation, so a refresh leaves it where it is.
 *
 * There is one bucket with one key. Generation 1 is there at the start, with entry 1 under the key.
 * A process pins the key and may later unpin it; another one evicts an entry that it has picked; a
 * publisher replaces the entry, or makes generation 2 if there is no bucket; a refresh may come at
 * any time. Every process may be killed between any two steps. Chosen with -D:
 *
 *   UNPIN          a second process unpins the key, at any time: an unpin that it did not expect
 *                  meets the pin halfway
 *   PUBLISHERS=n   1 or 2 publishers
 *
 *   Pinned   no eviction retires the link of the key after pin has returned, until an unpin takes
 *            effect
 *   Meant    an eviction retires the entry that it has picked
 *   PinMade  a pin that meets no error has made its file
 */
#ifndef PUBLISHERS
#define PUBLISHERS 1
#endif
#define BIT(i)     (1 << (i))

/* On disk. */
byte pointer = 1;               /* the generation that buckets/b names; 0: no bucket */
byte link[5];                   /* in each generation, what the key's link names */
byte pins_dir[5];               /* the directory pins/<bucket> is there. Index 0 counts; a mutant
                                 * keeps one in each generation */
byte pin_file[5];               /* pins/<bucket>/<key> is there */

/* In the kernel. */
byte sharers;
bit exclusive;

/* History. */
bit effective;                  /* the pin's file has been made, and not been removed since */
bit promised;                   /* the same, and the pin has returned */
byte ended;
hidden byte Pinned, Meant, PinMade, Ended;

#define STEP(x, killed)  if :: atomic { x } :: atomic { true -> goto killed } fi
#define LOCK_SHARED      !exclusive -> sharers++
#define LOCK_EXCLUSIVE   (!exclusive && sharers == 0) -> exclusive = 1

#ifdef MUTANT_pins_in_the_generation
#define WHERE pointer
#else
#define WHERE 0
#endif

#define UNPIN_FILE(w) pin_file[w] = 0; effective = 0; promised = 0

proctype pinner()
{
	/* A key without a bucket can be pinned as well. (Only the mutant needs one.) */
#ifdef MUTANT_pins_in_the_generation
	atomic { if :: pointer == 0 -> goto ends :: else fi };
#endif
#ifndef MUTANT_pin_without_lock
	STEP(LOCK_SHARED, ends);
#endif
again:
	STEP(pins_dir[WHERE] = 1, killed);
	STEP(if
	     :: pins_dir[WHERE] -> pin_file[WHERE] = 1; effective = 1
	     :: else ->                 /* ENOENT: an unpin has removed the directory */
#ifdef MUTANT_pin_looks_once
		assert(PinMade || pins_dir[WHERE])
#else
		goto again
#endif
	     fi, killed);
#ifdef MUTANT_pin_without_lock
	atomic { promised = effective };
#else
	atomic { sharers--; promised = effective };
#endif
	/* Later, perhaps. */
	if
	:: true
	:: STEP(UNPIN_FILE(WHERE), ends);
	   STEP(if :: pin_file[WHERE] == 0 -> pins_dir[WHERE] = 0 :: else fi, ends)  /* rmdir */
	fi;
	goto ends;
killed:
	atomic {
#ifndef MUTANT_pin_without_lock
		sharers--;
#endif
		goto ends };
ends:
	ended++
}

#ifdef UNPIN
proctype unpinner()
{
	byte again;
	do
	:: again < 2 ->
		again++;
		STEP(UNPIN_FILE(0), ends);
		/* rmdir succeeds only if the directory is empty */
		STEP(if :: pin_file[0] == 0 -> pins_dir[0] = 0 :: else fi, ends)
	:: break
	od;
ends:
	atomic { again = 0; ended++ }
}
#endif

proctype evictor()
{
	byte g, meant;
	bit pinned;
	if :: meant = 1 :: meant = 2 :: meant = 3 fi;
#ifdef MUTANT_pin_looked_for_before_lock
	atomic { pinned = pin_file[WHERE] };
#endif
#ifdef MUTANT_evict_shared
	STEP(LOCK_SHARED, ends);
#else
	STEP(LOCK_EXCLUSIVE, ends);
#endif
#ifndef MUTANT_pin_looked_for_before_lock
	STEP(pinned = pin_file[WHERE], killed);
#endif
	if :: atomic { pinned -> goto killed } :: atomic { !pinned } fi;
	/* The check of the link, and the rename: each looks the pointer up. */
	STEP(g = pointer, killed);
	STEP(if :: link[g] != meant -> goto killed :: else fi, killed);
	STEP(g = pointer, killed);
	STEP(if
	     :: link[g] != 0 ->
		assert(Meant || link[g] == meant);
		assert(Pinned || !promised);
		link[g] = 0
	     :: else
	     fi, killed);
killed:
	atomic {
#ifdef MUTANT_evict_shared
		sharers--;
#else
		exclusive = 0;
#endif
		goto ends };
ends:
	atomic { g = 0; meant = 0; pinned = 0; ended++ }
}

proctype publisher(byte me)
{
	byte g;
	STEP(LOCK_SHARED, ends);
again:
	STEP(g = pointer, killed);
	STEP(if
	     :: g == 0 ->               /* pointers.pml has this step in full */
		if :: pointer == 0 -> pointer = me :: else fi; goto again
	     :: g != 0 -> link[g] = me  /* perhaps in a generation that was moved aside */
	     fi, killed);
killed:
	atomic { sharers--; goto ends };
ends:
	atomic { g = 0; ended++ }
}

proctype refresher()
{
	if :: atomic { pointer = 0 } :: true fi;
	ended++
}

#ifdef UNPIN
#define CAST (4 + PUBLISHERS)
#else
#define CAST (3 + PUBLISHERS)
#endif
init
{
	atomic {
		link[1] = 1;
		run pinner(); run evictor(); run refresher(); run publisher(2);
#if PUBLISHERS > 1
		run publisher(3);
#endif
#ifdef UNPIN
		run unpinner();
#endif
	}
	atomic {
		ended == CAST ->
		assert(Ended || (sharers == 0 && exclusive == 0));
		/* What pin has promised is there at the end, too. */
		assert(Pinned || !promised || pin_file[WHERE])
	}
}
