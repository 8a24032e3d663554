/* SPDX-License-Identifier: MIT */
/* A lock that belongs to an open file, and a fork. This is about the locks of collector, builds,
 * gate and bucket; the lock of a participant is in participants.pml.
 *
 * A forked child has the same open file. If the child keeps it open, a lock that its parent held
 * when it was killed stays held while the child lives, and others wait for a dead process. If the
 * child unlocks it, it unlocks for its parent. So the child closes these descriptors before it does
 * anything else (pthread_atfork), and unlocks nothing.
 */
bit locked;             /* by that open file */
bit other;              /* by the waiter, through an open file of its own */
bit parent_has = 1, child_has;

hidden byte Excluded;

#define CLOSED  if :: !parent_has && !child_has -> locked = 0 :: else fi

active proctype parent()
{
	/* One thread works under the lock, and another forks, at any time. The process may be
	 * killed. */
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
