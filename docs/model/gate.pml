/* SPDX-License-Identifier: MIT */
/* The gate in front of a bucket's lock: publishers that share the lock one after the other, without
 * end, do not keep a remove out.
 *
 * The bucket's lock admits any number of sharers or one exclusive holder, and its waiters stand in
 * no queue. The gate is a lock too. A process that wants the bucket's lock exclusively holds the
 * gate while it waits. A process that wants it shared waits until the gate is free, and does not
 * take it. If it took the gate to pass, each publisher would be what the next one waits for, and
 * the gate might never be free again. (To pass with a shared lock, and to look for an exclusive
 * one, is as good.)
 *
 * Two buckets may have one byte. Then their gates must be one byte, too, or the publishers of the
 * one bucket look at another gate than the one that the remove in the other bucket holds
 * (MUTANT_gates_apart). That is so, because the bytes of gate and bucket are one hash, each in its
 * own part of the file.
 *
 * Kills: the kernel frees what the killed process held. `again` is a killed remove's successor.
 */
bit gate, exclusive, got;
byte sharers;

hidden byte Excluded;

active [2] proctype publisher()
{
	do
	:: true ->
#ifndef MUTANT_no_gate
#ifdef MUTANT_gate_taken_to_pass
		if
		:: atomic { gate -> skip };
		   atomic { !gate -> gate = 1 };
		   atomic { gate = 0 }
		:: atomic { !gate -> skip }
		fi;
#else
		/* This is a hint: one that looks too early is one more sharer to wait for, once. */
#ifdef MUTANT_gates_apart
		atomic { !gate || _pid == 1 -> skip };
#else
		atomic { !gate -> skip };
#endif
#endif
#endif
		atomic { !exclusive -> sharers++ };
		atomic { assert(Excluded || !exclusive); sharers-- }
	od
}

active proctype remove()
{
	bit killed;
again:
	atomic { !gate -> gate = 1 };
	if
	:: atomic { !killed -> killed = 1; gate = 0; goto again }       /* killed while it waits */
	:: atomic { !exclusive && sharers == 0 -> exclusive = 1 }
	fi;
	if
	:: atomic { !killed -> killed = 1; gate = 0; exclusive = 0; goto again }
	:: atomic { gate = 0 }
	fi;
	atomic { assert(Excluded || sharers == 0); got = 1; exclusive = 0 }
}

ltl enters { <> got }
