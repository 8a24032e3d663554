/* SPDX-License-Identifier: MIT */
/* A lock that belongs to an open file, and a fork. (The bucket, gate, collector and build locks; a participant's is in "participants.pml".)
 *
 * A forked child has the same open file: if it keeps it, a lock that its parent held when it was killed stays held for as long as the child
 * lives, and everybody waits for the dead; if it unlocks, it unlocks for its parent. So the child closes these descriptors, first of
 * all (pthread_atfork), and unlocks nothing.
 */
bit locked;             /* by that open file */
bit other;              /* by the other process, through an open file of its own */
bit parent_has = 1, child_has;

hidden byte Excluded;

#define CLOSED  if :: !parent_has && !child_has -> locked = 0 :: else fi

active proctype parent()
{
	/* one thread works under the lock, another forks, at any time; then the process is killed, or not */
	bit forked, works;
	do
	:: atomic { !locked && !other -> locked = 1; works = 1 }
	:: atomic { works -> assert(Excluded || (locked && !other)); locked = 0; works = 0 }
	:: atomic { !forked -> forked = 1; child_has = 1; run child() }
	:: atomic { parent_has = 0; CLOSED; break }
	od
}

proctype child()
{
#ifdef MUTANT_child_unlocks
	atomic { locked = 0 };
#endif
#ifndef MUTANT_child_keeps_descriptors
	atomic { child_has = 0; CLOSED };
#endif
end_lives_on:
	false
}

active proctype waiter()
{
	atomic { !locked && !other -> other = 1 };
	atomic { assert(Excluded || !locked); other = 0 }
}
