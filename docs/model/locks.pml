/* SPDX-License-Identifier: MIT */
/* The one lock file. Each lock is one byte of it, at a hash.
 *
 *   order  lock         byte
 *   1      collector    in a part of its own: tried, never waited for
 *   2      build        a hash of bucket and key, in a part of its own
 *   3      gate         a hash of the bucket, in a part of its own: held while waiting for 4
 *   4      bucket       the same hash, in a part of its own
 *
 * Each lock that a thread takes has an open file description of its own (F_OFD_SETLK). So it
 * excludes every other holder, also one in the same process and one in the same thread. The kernel
 * frees it when the description is closed, and so when the process is killed.
 *
 * Two threads of one process and one thread of another each run one program: put, remove, build
 * (which may build another key inside), collect, which evicts in one bucket after the other,
 * restore, and a get that found no tree. There are two keys, each in a bucket of its own. A process
 * may be killed between any two steps. Chosen with -D:
 *
 *   COLLIDE        both buckets have one hash, and so have both keys
 *   KILLS=n        at most n processes are killed. The number is chosen at the start, so that a
 *                  thread that waits forever is found in the searches in which no kill is left
 *
 *   Excluded       a bucket's exclusive holder is alone there
 *   SingleFlight   one thread builds a key at a time
 *   OneCollector   one thread holds the collector's lock
 *   Freed          when all have ended, no byte is locked
 *   (no name)      no thread waits forever: pan reports an invalid end state
 */
#ifndef KILLS
#define KILLS 1
#endif
#define BIT(i)     (1 << (i))
#define HAS(s, i)  (((s) >> (i)) & 1)
#define THREADS    3
#define PROCESS(t) ((t) / 2)

#define COLLECTOR  0
#ifdef COLLIDE
#define BUILD(k)   1
#define GATE(b)    3
#define BUCKET(b)  5
#else
#define BUILD(k)   (1 + (k))
#define GATE(b)    (3 + (b))
#ifdef MUTANT_one_part_for_all
#define BUCKET(b)  (1 + (b))    /* a bucket's hash is that of a key */
#else
#define BUCKET(b)  (5 + (b))
#endif
#endif

/* In the kernel. */
byte ex[7];             /* 1 + the thread whose description has the byte exclusively */
byte sh[7];             /* the threads whose descriptions share it (a mask) */
bit dead[2];            /* processes that were killed */
byte kills;             /* kills that are left */

/* History. */
byte alone[2], sharing[2];      /* the threads that are in a bucket under its lock (masks) */
byte building[2];               /* the threads that build a key (masks) */
byte collecting;
byte ended;
hidden byte Excluded, SingleFlight, OneCollector, Freed;

#define IN_BUCKET(b) \
	assert(Excluded || alone[b] == 0 || (sharing[b] == 0 && (alone[b] & (alone[b] - 1)) == 0))

/* What a lock that belongs to the process, or to one description for each process, would do. */
#ifdef MUTANT_one_description
#define OWN(t)     (PROCESS(t) == 0 -> 3 : 4)           /* the threads that count as one owner */
#else
#define OWN(t)     0
#endif
#define MINE(t, l) (ex[l] != 0 && HAS(OWN(t), ex[l] - 1))
#define MAY_SHARE(l)  (ex[l] == 0 || MINE(me, l))
#define MAY_HAVE(l)   ((ex[l] == 0 || MINE(me, l)) && (sh[l] & ~OWN(me)) == 0)
#ifdef MUTANT_one_description
#define FREE(l)    ex[l] = 0; sh[l] = sh[l] & ~OWN(me)
#else
#ifdef MUTANT_closing_frees_all
/* F_SETLK: the process closes one descriptor of the file, and all its locks are free. */
#define DROP(l)    \
	if :: ex[l] != 0 && PROCESS(ex[l] - 1) == PROCESS(me) -> ex[l] = 0 :: else fi; \
	sh[l] = sh[l] & (PROCESS(me) == 0 -> 4 : 3)
#define FREE(l)    DROP(0); DROP(1); DROP(2); DROP(3); DROP(4); DROP(5); DROP(6)
#else
#define FREE(l)    \
	if :: ex[l] == me + 1 -> ex[l] = 0 :: else fi; \
	sh[l] = sh[l] & ~BIT(me)
#endif
#endif

/* One step, which may wait until its guard holds; or a kill instead of it. */
#define STEP(x) \
	if \
	:: atomic { !dead[PROCESS(me)] -> x } \
	:: atomic { !dead[PROCESS(me)] && kills > 0 -> goto killed } \
	:: atomic { dead[PROCESS(me)] -> goto ends } \
	fi
#define WAIT_UNTIL(c, x) \
	if \
	:: atomic { !dead[PROCESS(me)] && c -> x } \
	:: atomic { !dead[PROCESS(me)] && kills > 0 -> goto killed } \
	:: atomic { dead[PROCESS(me)] -> goto ends } \
	fi

/* A process that shares a bucket's lock waits until the gate is free, and does not take it. */
#ifdef MUTANT_gate_looked_at_last
#define SHARE(b) \
	WAIT_UNTIL(MAY_SHARE(BUCKET(b)), sh[BUCKET(b)] = sh[BUCKET(b)] | BIT(me)); \
	WAIT_UNTIL(ex[GATE(b)] == 0, sharing[b] = sharing[b] | BIT(me); IN_BUCKET(b))
#else
#define SHARE(b) \
	WAIT_UNTIL(ex[GATE(b)] == 0, skip); \
	WAIT_UNTIL(MAY_SHARE(BUCKET(b)), sh[BUCKET(b)] = sh[BUCKET(b)] | BIT(me); \
		sharing[b] = sharing[b] | BIT(me); IN_BUCKET(b))
#endif
#define UNSHARE(b) \
	STEP(IN_BUCKET(b); sharing[b] = sharing[b] & ~BIT(me); FREE(BUCKET(b)))
#define TAKE(b) \
	WAIT_UNTIL(MAY_HAVE(GATE(b)), ex[GATE(b)] = me + 1); \
	WAIT_UNTIL(MAY_HAVE(BUCKET(b)), ex[BUCKET(b)] = me + 1; \
		alone[b] = alone[b] | BIT(me); IN_BUCKET(b)); \
	STEP(FREE(GATE(b)))
#define LEAVE(b) \
	STEP(IN_BUCKET(b); alone[b] = alone[b] & ~BIT(me); FREE(BUCKET(b)))

/* A build takes no byte that its own thread has already: two keys have one hash. */
#ifdef MUTANT_own_byte_unknown
#define IS_OWN(k)  0
#else
#ifdef MUTANT_own_byte_by_process
#define IS_OWN(k)  (ex[BUILD(k)] != 0 && PROCESS(ex[BUILD(k)] - 1) == PROCESS(me))
#else
#define IS_OWN(k)  (ex[BUILD(k)] == me + 1)
#endif
#endif
#define BEGIN_BUILD(k) \
	building[k] = building[k] | BIT(me); \
	assert(SingleFlight || (building[k] & (building[k] - 1)) == 0)

proctype thread(byte me)
{
	byte b;
	bit inside, nested;
	if
	:: b = 0
	:: b = 1
	fi;
	if
	:: goto put
	:: goto remove
	:: goto build
	:: b == 0 -> goto collect
	:: goto restore
	:: goto get
	fi;

put:
	SHARE(b);
	UNSHARE(b);
	goto ends;

remove:                                 /* and publish without exchange */
	TAKE(b);
	LEAVE(b);
	goto ends;

get:                                    /* it found no tree: the lock is tried, without the gate */
	STEP(if
	     :: MAY_HAVE(BUCKET(b)) ->
		ex[BUCKET(b)] = me + 1; alone[b] = alone[b] | BIT(me); IN_BUCKET(b)
	     :: else -> goto ends
	     fi);
	LEAVE(b);
	goto ends;

build:                                  /* key 0 may need key 1; build.pml has circles */
	WAIT_UNTIL(MAY_HAVE(BUILD(b)), ex[BUILD(b)] = me + 1; BEGIN_BUILD(b));
	if
	:: b == 0 ->
		if
		:: atomic { IS_OWN(1) -> inside = 1 }
		:: atomic { !IS_OWN(1) -> nested = 1 }
		:: true
		fi
	:: true
	fi;
	if
	:: nested -> WAIT_UNTIL(MAY_HAVE(BUILD(1)), ex[BUILD(1)] = me + 1; inside = 1)
	:: !nested
	fi;
	if
	:: inside ->
		STEP(BEGIN_BUILD(1));
		SHARE(1);
		UNSHARE(1);
		STEP(building[1] = building[1] & ~BIT(me);
			if :: nested -> FREE(BUILD(1)) :: else fi; inside = 0; nested = 0)
	:: !inside
	fi;
	SHARE(b);
	UNSHARE(b);
	STEP(building[b] = building[b] & ~BIT(me); FREE(BUILD(b)));
	goto ends;

collect:                                /* it evicts in one bucket after the other */
	STEP(if
	     :: MAY_HAVE(COLLECTOR) ->
		ex[COLLECTOR] = me + 1; collecting++; assert(OneCollector || collecting == 1)
	     :: else -> goto ends
	     fi);
	TAKE(0);
#ifdef MUTANT_two_buckets_at_once
	TAKE(1);
	LEAVE(0);
#else
	LEAVE(0);
	TAKE(1);
#endif
	LEAVE(1);
	STEP(collecting--; FREE(COLLECTOR));
	goto ends;

restore:
	STEP(if
	     :: MAY_HAVE(COLLECTOR) ->
		ex[COLLECTOR] = me + 1; collecting++; assert(OneCollector || collecting == 1)
	     :: else -> goto ends
	     fi);
	SHARE(b);
	UNSHARE(b);
	STEP(collecting--; FREE(COLLECTOR));
	goto ends;

	/* The kernel closes what the process had open, for all its threads. */
#define KILLED(t) \
	KILL_BYTE(t, 0); KILL_BYTE(t, 1); KILL_BYTE(t, 2); KILL_BYTE(t, 3); KILL_BYTE(t, 4); \
	KILL_BYTE(t, 5); KILL_BYTE(t, 6); \
	alone[0] = alone[0] & ~BIT(t); alone[1] = alone[1] & ~BIT(t); \
	sharing[0] = sharing[0] & ~BIT(t); sharing[1] = sharing[1] & ~BIT(t); \
	building[0] = building[0] & ~BIT(t); building[1] = building[1] & ~BIT(t)
#define KILL_BYTE(t, l) \
	if \
	:: ex[l] == (t) + 1 -> ex[l] = 0; if :: l == COLLECTOR -> collecting-- :: else fi \
	:: else \
	fi; \
	sh[l] = sh[l] & ~BIT(t)
killed:
	atomic {
		kills--; dead[PROCESS(me)] = 1;
		if
		:: PROCESS(me) == 0 -> KILLED(0); KILLED(1)
		:: else -> KILLED(2)
		fi;
		goto ends };
ends:
	atomic { b = 0; inside = 0; nested = 0; ended++ }
}

init
{
	atomic {
		if
		:: kills = 0
#if KILLS > 0
		:: kills = 1
#endif
#if KILLS > 1
		:: kills = 2
#endif
		fi;
		run thread(0); run thread(1); run thread(2)
	}
	atomic {
		ended == THREADS ->
		assert(Freed || (ex[0] + ex[1] + ex[2] + ex[3] + ex[4] + ex[5] + ex[6] == 0));
		assert(Freed || (sh[0] | sh[1] | sh[2] | sh[3] | sh[4] | sh[5] | sh[6]) == 0);
		assert(Freed || collecting == 0)
	}
}
