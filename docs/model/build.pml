/* SPDX-License-Identifier: MIT */
/* Build once: single flight, the builder's death, and builds that wait for each other in a circle.
 *
 * Threads call get_or_build, and a build may call it again for another key. A lock is a byte of one
 * file, at a hash of the key. The kernel frees the lock when its holder is killed. It sees no
 * circle, because it can't tell which thread of a process waits. So each thread says in its
 * participant's table what it holds and what it waits for, and a waiting thread follows these
 * words. It reads each cell in a step of its own. Each cell counts its changes: a circle counts
 * only if a second walk finds it with every count unchanged.
 *
 *   TWO            a builds 0, for which it needs 1; b builds 1, for which it needs 0, or builds 1
 *                  and then 0; c builds 0
 *   RING           three threads, three keys: 0 needs 1, 1 needs 2, 2 needs 0
 *   COLLIDE        as TWO, and both keys hash to the same byte
 *   CLAIMS         as TWO, but c is an event loop that claims 0 and 1, and builds both at one time.
 *                  A claim never waits: if the byte is taken, the loop goes on, and comes back
 *   POLLS          the loop claims 1 for its build of 0: it has both before it publishes 0
 *   KILLS          a thread (in a model of this size: its process) may be killed between any two
 *                  steps
 *   ENDS           search for a run in which a thread waits forever, instead of for assertions
 */
#define BIT(i)     (1 << (i))
#define HAS(s, i)  (((s) >> (i)) & 1)
#define THREADS    3
#define NONE       7
#ifdef COLLIDE
#define LOCK(k)    0
#else
#define LOCK(k)    (k)
#endif

bit present[3];                 /* the entry has been published */
byte lock[3];                   /* in the kernel: 1 + the thread that holds the byte */
byte holds[THREADS];            /* in the table: the locks that a thread says it holds (a mask), */
byte wants[THREADS];            /* 1 + the lock that it says it waits for, */
byte changes[THREADS];          /* and how often it has changed these two */
byte building[3];               /* history: the threads that build a key now (a mask) */
bit stuck[THREADS];             /* history: this wait has been part of a real circle */
bit circled;                    /* history: a thread had to build without the lock */
byte ended;

hidden byte SingleFlight, NoPhantom, Built;

#ifdef KILLS
#define STEP(x)    if :: atomic { x } :: atomic { true -> goto killed } fi
#else
#define STEP(x)    atomic { x }
#endif
#define SAY(x)     x; changes[me]++

/* The truth, which no thread of the model sees. A circle can only close when a thread starts to
 * wait. */
#define HOLDER(l)  (lock[l] - 1)
inline note_circle()
{
	n = HOLDER(LOCK(k)); at = 0;
	do
	:: n == me || at == THREADS || wants[n] == 0 || lock[wants[n] - 1] == 0 -> break
	:: else -> n = HOLDER(wants[n] - 1); at++
	od;
	if
	:: n == me ->
		stuck[me] = 1; n = HOLDER(LOCK(k));
		do
		:: n == me -> break
		:: else -> stuck[n] = 1; n = HOLDER(wants[n] - 1)
		od
	:: else
	fi;
	n = 0; at = 0
}

/* A chain longer than all threads leads around a circle that this thread is not in. One of the
 * threads in the circle will break it. */
#define ON_THE_WAY(t)  (me != t && HAS(holds[t], at) && hops < THREADS)
#define FORGET         at = 0; sum = 0; n = 0; hops = 0
#ifdef MUTANT_circle_looked_for_once
#define NO_CIRCLE      FORGET
#else
#define NO_CIRCLE      second = 0; before = 0; FORGET
#endif

/* The kernel frees the bytes. The words of a dead participant count for nothing. */
inline end_of_thread()
{
	if :: lock[0] == me + 1 -> lock[0] = 0 :: else fi;
	if :: lock[1] == me + 1 -> lock[1] = 0 :: else fi;
	if :: lock[2] == me + 1 -> lock[2] = 0 :: else fi;
	holds[me] = 0; wants[me] = 0; changes[me]++; stuck[me] = 0;
	building[0] = building[0] & ~BIT(me);
	building[1] = building[1] & ~BIT(me);
	building[2] = building[2] & ~BIT(me);
	k = 0; FORGET; before = 0; nested = 0; locked[0] = 0; locked[1] = 0; second = 0;
	after = 0;
	ended++
}

proctype thread(byte me, outer, inner)
{
	byte k, n, at, sum, before, hops;
	bit nested, locked[2], second, after;

	k = outer;
	if
	:: after = 0                            /* the build of outer needs inner */
#ifndef RING
	:: me == 1 -> after = 1                 /* inner is built afterwards, by itself */
#endif
	fi;

look:
	/* get */
	STEP(if :: present[k] -> goto left :: else fi);
#ifndef MUTANT_no_lock
	/* The byte is this thread's already: two keys have one hash. */
	atomic { if :: lock[LOCK(k)] == me + 1 -> goto build :: else fi };
	if
	:: atomic { lock[LOCK(k)] == 0 -> lock[LOCK(k)] = me + 1; goto have }
	:: atomic { lock[LOCK(k)] != 0 -> SAY(wants[me] = LOCK(k) + 1); note_circle() }
#ifdef KILLS
	:: atomic { true -> goto killed }
#endif
	fi;

	/* Wait: try again, and between two tries look for a circle. */
wait:
	if
	:: atomic { lock[LOCK(k)] == 0 -> lock[LOCK(k)] = me + 1;
		SAY(wants[me] = 0); stuck[me] = 0; second = 0; before = 0; goto have }
#ifndef MUTANT_circles_not_looked_for
#ifdef MUTANT_circle_looked_for_once
	:: atomic { lock[LOCK(k)] != 0 && before == 0 -> before = 1; at = LOCK(k) }
#else
	:: atomic { lock[LOCK(k)] != 0 -> at = LOCK(k) }
#endif
#endif
#ifdef KILLS
	:: atomic { true -> goto killed }
#endif
	fi;
walk:
	/* Find the thread that says it holds `at`. */
	STEP(
		if
		:: HAS(holds[me], at) ->
			if
#ifndef MUTANT_circle_seen_once
			:: !(second && before == sum + 1) ->
				second = 1; before = sum + 1; FORGET; goto wait
#endif
			:: else -> goto circle
			fi
		:: ON_THE_WAY(0) -> n = 0
		:: ON_THE_WAY(1) -> n = 1
		:: ON_THE_WAY(2) -> n = 2
		:: else -> NO_CIRCLE; goto wait
		fi;
		hops++; sum = sum + changes[n]);
	/* A moment later, read what that thread says it waits for. */
	STEP(
		if
		:: wants[n] != 0 -> at = wants[n] - 1; n = 0
		:: else -> NO_CIRCLE; goto wait
		fi);
	goto walk;
circle:
	atomic {
		assert(NoPhantom || stuck[me]);
		circled = 1; SAY(wants[me] = 0); stuck[me] = 0; second = 0; before = 0; FORGET;
		goto build
	};

have:
	STEP(locked[nested] = 1; SAY(holds[me] = holds[me] | BIT(LOCK(k))));
#ifndef MUTANT_no_second_look
	STEP(if :: present[k] -> goto release :: else fi);
#endif
#endif
build:
	STEP(assert(SingleFlight || circled || (building[k] == 0 && !present[k]));
		building[k] = building[k] | BIT(me));
	if
	:: atomic { !nested && !after && inner != NONE -> nested = 1; k = inner; goto look }
	:: atomic { nested || after || inner == NONE }
	fi;
built:
#ifdef MUTANT_lock_released_before_publish
	if
	:: atomic { locked[nested] ->
		SAY(holds[me] = holds[me] & ~BIT(LOCK(k))); lock[LOCK(k)] = 0; locked[nested] = 0 }
	:: atomic { !locked[nested] }
	fi;
#endif
	STEP(building[k] = building[k] & ~BIT(me); present[k] = 1);
release:
	if
	:: atomic { locked[nested] -> SAY(holds[me] = holds[me] & ~BIT(LOCK(k))) };
	   STEP(lock[LOCK(k)] = 0; locked[nested] = 0)
	:: atomic { !locked[nested] }
	fi;
left:
	atomic {
		assert(Built || present[k]);
		if
		:: nested -> nested = 0; k = outer; goto built
		:: !nested && after && k == outer -> k = inner; goto look
		:: else
		fi
	};
#ifdef KILLS
killed:
#endif
	atomic { end_of_thread() }
}

#ifdef CLAIMS
/* Deals with each key in turn, one step of a claim at a time, so that the builds of both keys
 * overlap. It says what it holds, as a thread does, and never that it waits. */
proctype loop(byte me)
{
	byte k, n, at, sum, before, hops;
	bit nested, locked[2], second, after;   /* as those of a thread, which `killed` clears */
	bit mine[2], done[2];

turn:
	if
	:: atomic { done[0] && done[1] -> goto killed }
#ifdef POLLS
	:: atomic { mine[0] && k == 0 && !done[1] -> goto next }
	:: atomic { !done[k] && mine[k] && (k == 1 || done[1]) -> goto publish }
#else
	:: atomic { !done[k] && mine[k] -> goto publish }
#endif
	:: atomic { !done[k] && !mine[k] }
	:: atomic { done[k] && !done[1 - k] -> goto next }
#ifdef KILLS
	:: atomic { true -> goto killed }
#endif
	fi;
	/* get */
	STEP(if :: present[k] -> done[k] = 1; goto next :: else fi);
	STEP(if :: lock[LOCK(k)] == 0 -> lock[LOCK(k)] = me + 1 :: else -> goto next fi);
	STEP(SAY(holds[me] = holds[me] | BIT(LOCK(k))));
#ifndef MUTANT_claim_without_second_look
	STEP(if :: present[k] -> done[k] = 1; goto release :: else fi);
#endif
	STEP(assert(SingleFlight || circled || (building[k] == 0 && !present[k]));
		building[k] = building[k] | BIT(me); mine[k] = 1);
	goto next;
publish:
	STEP(building[k] = building[k] & ~BIT(me); present[k] = 1; mine[k] = 0; done[k] = 1);
release:
	STEP(SAY(holds[me] = holds[me] & ~BIT(LOCK(k))));
	STEP(lock[LOCK(k)] = 0);
next:
	STEP(k = 1 - k);
	goto turn;
killed:
	atomic {
		end_of_thread();
		mine[0] = 0; mine[1] = 0; done[0] = 0; done[1] = 0
	}
}
#endif

init
{
	atomic {
#ifdef RING
		run thread(0, 0, 1); run thread(1, 1, 2); run thread(2, 2, 0)
#else
		run thread(0, 0, 1); run thread(1, 1, 0);
#ifdef CLAIMS
		run loop(2)
#else
		run thread(2, 0, NONE)
#endif
#endif
	}
}

#ifdef ENDS
ltl ends { <> (ended == THREADS) }
#endif
