/* SPDX-License-Identifier: MIT */
/* Power cuts, watermarks and judgements. An entry of an earlier boot may be torn. A get serves it
 * if a watermark says that it is on the disk, or if it was compared with its manifest in this boot.
 *
 * There is one entry. The kernel brings what is in memory to the disk piece by piece, in any order,
 * and a power cut may come between any two steps. Then memory is what is on the disk, and the next
 * boot begins. Chosen with -D:
 *
 *   BOOTS=n        boots of the machine (3)
 *   GETS=n         gets in all boots together (3)
 *   SETTLES=n      settles in all boots together (2)
 *   COPY           the entry is not published: a program copies a whole cache, in boot 2, with an
 *                  entry and a watermark of boot 1, file by file and in any order
 *
 * The clock counts the time since the boot. It moves with each sync, because a sync takes longer
 * than the smallest step of the clock; nothing else needs it to move.
 *
 *   Whole      the tree of an entry that a get serves is whole
 *   Complete   the record of an entry that a get serves is there
 */
#ifndef BOOTS
#define BOOTS 3
#endif
#ifndef GETS
#define GETS 3
#endif
#ifndef SETTLES
#define SETTLES 2
#endif

byte boot = 1, now = 1;
byte root = 1;                  /* which directory the cache is; a copy is another one */

/* In memory. */
bit tree, record, link;
byte made_in, made_at;          /* what the manifest says; 0 if there is none */
byte judged_in, judged_at;      /* what `judged` says */
byte mark[BOOTS + 1], mark_root[BOOTS + 1];

/* On the disk. */
bit tree_d, record_d, link_d;
byte made_in_d, made_at_d;
byte judged_in_d, judged_at_d;
byte mark_d[BOOTS + 1], mark_root_d[BOOTS + 1];

byte b;                         /* for loops in one step */
hidden byte Whole, Complete;

#define SYNC_MARKS \
	b = 1; \
	do :: b <= BOOTS -> mark_d[b] = mark[b]; mark_root_d[b] = mark_root[b]; b++ :: else -> break od
#define SYNC_JUDGED    judged_in_d = judged_in; judged_at_d = judged_at
#define SYNC_MANIFEST  made_in_d = made_in; made_at_d = made_at

/* The kernel writes one thing back. A file that is replaced by a rename is the old or the new one
 * then; a new one that has lost its bytes is none, which is the same as an old one that says
 * nothing. */
proctype writeback()
{
	do
	:: atomic { tree_d != tree -> tree_d = tree }
	:: atomic { record_d != record -> record_d = record }
	:: atomic { link_d != link -> link_d = link }
	:: atomic { made_at_d != made_at -> SYNC_MANIFEST }
	:: atomic { judged_at_d != judged_at || judged_in_d != judged_in -> SYNC_JUDGED }
	:: atomic { mark_d[boot] != mark[boot] -> SYNC_MARKS }
	:: atomic { timeout -> break }
	od
}

proctype power()
{
	do
	:: atomic { boot < BOOTS ->
		tree = tree_d; record = record_d; link = link_d;
		made_in = made_in_d; made_at = made_at_d;
		judged_in = judged_in_d; judged_at = judged_at_d;
		b = 1;
		do
		:: b <= BOOTS -> mark[b] = mark_d[b]; mark_root[b] = mark_root_d[b]; b++
		:: else -> break
		od;
		boot++; now = 1 }
	:: atomic { true -> break }
	od
}

/* A step of a process that began in boot `mine`. A cut ends the process. */
#define STEP(x, cut)  if :: atomic { boot == mine -> x } :: atomic { boot != mine -> goto cut } fi

#ifdef COPY
/* The cache that is copied is whole, and settled. */
proctype copier()
{
	do
	:: atomic { boot != 2 -> break }	/* a cut has ended it */
	:: atomic { boot == 2 && !tree -> tree = 1 }
	:: atomic { boot == 2 && !record -> record = 1 }
	:: atomic { boot == 2 && !link -> link = 1 }
	:: atomic { boot == 2 && made_at == 0 -> made_in = 1; made_at = 1 }
	:: atomic { boot == 2 && mark[1] == 0 -> mark[1] = 1; mark_root[1] = 1 }
	:: atomic { tree && record && link && made_at != 0 && mark[1] != 0 -> break }
	od
}
#else
proctype publisher()
{
	byte mine = 1, t;
#ifdef MUTANT_manifest_time_first
	STEP(t = now, cut);
	STEP(tree = 1, cut);
#else
	STEP(tree = 1, cut);
	STEP(t = now, cut);
#endif
	STEP(made_in = 1; made_at = t, cut);
	STEP(record = 1, cut);
	STEP(link = 1, cut);
cut:	skip
}
#endif

proctype settler()
{
	byte mine, t, n;
	do
	:: n < SETTLES ->
		n++;
		atomic { mine = boot; t = now };
		STEP(tree_d = tree; record_d = record; link_d = link; SYNC_MANIFEST; SYNC_JUDGED;
			SYNC_MARKS; now++, cut);
#ifdef MUTANT_mark_after_sync
		STEP(t = now, cut);
#endif
		STEP(if
			:: t > mark[boot] || mark_root[boot] != root ->
				mark[boot] = t; mark_root[boot] = root
			:: else
			fi, cut);
cut:		atomic { t = 0; mine = 0 }
	:: n == SETTLES -> break
	od
}

#ifdef MUTANT_copied_root_trusted
#define IS_TRUSTED(in)  true
#else
#define IS_TRUSTED(in)  (mark_root[in] == root)
#endif
/* What was whole at this time of that boot is on the disk. */
#define IS_BELOW_MARK(in, at)  (in != 0 && mark[in] != 0 && IS_TRUSTED(in) && at <= mark[in])

#ifdef MUTANT_judged_for_ever
#define IS_JUDGED  (judged_in != 0)
#else
#define IS_JUDGED  (judged_in == boot)
#endif

proctype reader()
{
	byte mine, t, n;
	do
	:: n < GETS ->
		n++;
		/* An entry of this boot is not looked at: what is in memory is whole. */
		if
		:: atomic { link && boot > 1 -> mine = boot }
		:: atomic { !(link && boot > 1) -> goto miss }
		fi;
		STEP(if :: IS_JUDGED -> goto served :: else fi, miss);
#ifndef MUTANT_record_not_read
		STEP(if :: !record -> goto miss :: else fi, miss);
#endif
		STEP(if :: IS_BELOW_MARK(made_in, made_at) -> goto served :: else fi, miss);
#ifdef MUTANT_judged_time_first
		STEP(t = now, miss);
#endif
		STEP(if :: IS_BELOW_MARK(judged_in, judged_at) -> goto served :: else fi, miss);
		/* The comparison, which reads the whole tree. */
		STEP(if :: !tree || made_at == 0 -> goto miss :: else fi, miss);
#ifndef MUTANT_judged_time_first
		STEP(t = now, miss);
#endif
		STEP(judged_in = boot; judged_at = t, miss);
served:		STEP(assert(Whole || tree); assert(Complete || record), miss);
miss:		atomic { t = 0; mine = 0 }
	:: n == GETS -> break
	od
}

init
{
	atomic {
#ifdef COPY
		boot = 2; root = 2;
		run copier();
#else
		run publisher();
#endif
		run settler(); run reader(); run writeback(); run power()
	}
}
