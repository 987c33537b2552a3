/*
 * An address that follows: the fenced predecessor (instance 0) is ended once its data is secured, and the permits of attempt 1 and 2 are made
 * with its address. Calls may land at any later time. Nothing of its data is lost, nothing is launched beside it or beside another attempt, and
 * what an abandoned recovery gives back to the member is not ended afterwards.
 *
 * The fence, the activation and what comes after are recovery.pml's. How to read it: as recovery.pml.
 */

#define NOBODY 255

/* ================================================================ etcd */

/* Whose leader key it is; terms need no numbers (recovery.pml). */
byte holder = NOBODY;
byte everLed;

/* The journal: how far the recovery is, with which attempt, and whether a TerminateInstances of instance 0 was about to be sent. */
mtype = { CAPTURE, VACATE, PERMIT, LAUNCH, VERIFY, REVOKE, ACTIVATED, ABANDONED, GIVEN_UP };
mtype phase = CAPTURE;
byte attempt = 1;
bool sent;

/* ================================================================ EC2 */

mtype = { ABSENT, RUNNING, STOPPED, TERMINATED };
mtype state[3] = ABSENT;
/* Snapshots of this recovery: none, under way, complete. */
mtype = { NONE, PENDING, COMPLETE };
mtype snapshots = NONE;
/* DeleteOnTermination of its volumes; and what a describe may still show (A9). */
bool goesWithIt = true;
bool goesEarlier = true;

/* Who has the address: instance 0, the permit of attempt 1 or 2, or nobody. That somebody else has it is a permit that is refused. */
#define FREE 3
byte address;
/* A token makes one permit, once. */
bool made[3];

/* Calls given up that may still land, for as long as they could have an effect. */
bit lateTerminate, lateCreate[3], lateRun[3];

/* ================================================================ properties */

bool dataLost;
bool launchedBeside;
bool endedAfterwards;

#ifdef PROPERTY_DATA_SECURED
#define CHECK_DATA dataLost = (snapshots != COMPLETE || goesWithIt); assert(!dataLost)
#else
#define CHECK_DATA skip
#endif
#ifdef PROPERTY_LAUNCHED_ALONE
#define CHECK_LAUNCH(n) launchedBeside = (state[0] != TERMINATED || state[1] == RUNNING || state[2] == RUNNING); assert(!launchedBeside)
#else
#define CHECK_LAUNCH(n) skip
#endif
#ifdef PROPERTY_KEPT_STAYS
#define CHECK_KEPT endedAfterwards = (phase == ABANDONED); assert(!endedAfterwards)
#else
#define CHECK_KEPT skip
#endif
#ifdef REACH_FOLLOWED
bool reachedFollowed;
#define AT_ACTIVATED reachedFollowed = (attempt == 2 && address == 2); assert(!reachedFollowed)
#else
#define AT_ACTIVATED skip
#endif
#ifdef REACH_KEPT
bool reachedKept;
#define AT_ABANDONED reachedKept = (state[0] == STOPPED); assert(!reachedKept)
#else
#define AT_ABANDONED skip
#endif

/* ================================================================ EC2's side of a call */

inline terminate() {
    CHECK_DATA;
    CHECK_KEPT;
    state[0] = TERMINATED;
    lateTerminate = 0;
    if
    :: address == 0 -> address = FREE
    :: else
    fi
}

inline keep() { goesEarlier = goesWithIt; goesWithIt = false }

/* An address that is in use is given to nobody. Without its name the permit has another one, and the launch does not wait for it. */
#ifdef WITHOUT_ADDRESS
#define MAY_CREATE(n) (!made[n])
inline create(n) { made[n] = true; permit[n] = true }
#else
#define MAY_CREATE(n) (!made[n] && address == FREE)
inline create(n) { made[n] = true; permit[n] = true; address = n; lateCreate[n] = 0 }
#endif
bool permit[3];

inline deletePermit(n) {
    permit[n] = false;
    /* A launch that names it is refused from now on. */
    lateRun[n] = 0;
    if
    :: address == n -> address = FREE
    :: else
    fi
}

#define MAY_RUN(n) (permit[n] && state[n] == ABSENT)
inline run_(n) { CHECK_LAUNCH(n); state[n] = RUNNING; lateRun[n] = 0 }

/* ================================================================ the rules that a switch removes */

/* S2. */
#define MAY_WRITE (holder == me)
/* S32: everything the successor is made of is recorded and seen. Without: it is under way. */
#ifdef WITHOUT_SECURED
#define IS_SECURED (snapshots != NONE)
#else
#define IS_SECURED (snapshots == COMPLETE)
#endif
/* S32: each volume is seen to outlive it. Without: it was said. */
#ifdef WITHOUT_SEEN_KEPT
#define IS_KEPT true
#else
#define IS_KEPT (!seenGoes)
#endif
/* S32: it is seen terminated before a permit is made. */
#ifdef WITHOUT_ENDED_PREDECESSOR
#define IS_VACATED true
#else
#define IS_VACATED (state[0] == TERMINATED)
#endif
/* S7, S14. Without: a failed attempt is left behind. */
#ifdef WITHOUT_ENDED_ATTEMPT
#define IS_ENDED true
#else
#define IS_ENDED (!permit[myAttempt] && state[myAttempt] != RUNNING)
#endif
/* S32: who abandons has what was sent seen through. */
#ifdef WITHOUT_SEEN_THROUGH
#define MAY_BE_KEPT true
#else
#define MAY_BE_KEPT (!sent)
#endif

/* ================================================================ the environment */

#define LATE(n) \
    :: atomic { lateCreate[n] && MAY_CREATE(n) -> create(n) } \
    :: atomic { lateRun[n] && MAY_RUN(n) -> run_(n) } \
    :: atomic { state[n] == RUNNING && phase != ACTIVATED -> state[n] = TERMINATED }

proctype Environment() {
    do
    :: atomic { holder != NOBODY -> holder = NOBODY }
    :: atomic { snapshots == PENDING -> snapshots = COMPLETE }
    :: atomic { lateTerminate && state[0] != TERMINATED -> terminate() }
    LATE(1)
    LATE(2)
    od
}

/* ================================================================ a coordinator */

inline forget() { myAttempt = 0; seenGoes = false; isStopped = false }
#define OR_DIES :: atomic { forget(); goto campaign }
#define WRITE_IF(allowed) if :: !(allowed) -> forget(); goto campaign :: (allowed) -> skip fi

proctype Coordinator(byte me) {
    byte myAttempt;
    bool seenGoes;
    bool isStopped;

campaign:
    atomic {
        holder == NOBODY && me <= everLed ->
        holder = me;
        if
        :: me == everLed -> everLed++
        :: else
        fi
    }

resume:
    atomic {
        myAttempt = attempt;
        if
        :: phase == CAPTURE -> goto capture
        :: phase == VACATE -> goto vacate
        :: phase == PERMIT -> goto permitStep
        :: phase == LAUNCH -> goto launch
        :: phase == VERIFY -> goto verify
        :: phase == REVOKE -> goto revoke
        :: phase == ACTIVATED || phase == ABANDONED || phase == GIVEN_UP -> goto idle
        fi
    }

capture:
    if
    :: atomic { snapshots == NONE -> snapshots = PENDING }
    :: atomic { snapshots != NONE -> skip }
    :: atomic { phase == CAPTURE && MAY_WRITE -> phase = ABANDONED; AT_ABANDONED; goto idle }
    OR_DIES
    fi;
    if
    :: atomic { IS_SECURED -> WRITE_IF(MAY_WRITE && phase == CAPTURE); phase = VACATE; goto vacate }
    :: atomic { !IS_SECURED -> goto capture }
    OR_DIES
    fi;

    /* One look tells state and volumes (core/predecessor.ts). */
vacate:
    if
    :: atomic {
        isStopped = (state[0] == STOPPED);
        if
        :: seenGoes = goesWithIt
        :: seenGoes = goesEarlier
        fi
    }
    :: atomic { MAY_BE_KEPT && phase == VACATE && MAY_WRITE -> phase = ABANDONED; AT_ABANDONED; goto idle }
    OR_DIES
    fi;
    if
    :: atomic { IS_VACATED -> WRITE_IF(MAY_WRITE && phase == VACATE); phase = PERMIT; goto permitStep }
    :: atomic { isStopped && !(IS_KEPT) -> goto say }
    :: atomic { isStopped && IS_KEPT -> WRITE_IF(MAY_WRITE && phase == VACATE); sent = true; goto end_ }
    :: atomic { !isStopped && !(IS_VACATED) -> goto vacate }
    OR_DIES
    fi;

say:
    if
    :: atomic { state[0] != TERMINATED -> keep() }
    :: atomic { skip }
    OR_DIES
    fi;
    goto vacate;

end_:
    if
    :: atomic { state[0] != TERMINATED -> terminate() }
    :: atomic { state[0] == TERMINATED -> skip }
    :: atomic { lateTerminate = 1 }
    OR_DIES
    fi;
    goto vacate;

permitStep:
    /* What an ended attempt has made too late is deleted (steps/taken-address.ts). */
    if
    :: atomic { myAttempt == 2 && permit[1] && state[1] == ABSENT -> deletePermit(1) }
    :: atomic { MAY_CREATE(myAttempt) -> create(myAttempt) }
    :: atomic { skip }
    :: atomic { !made[myAttempt] -> lateCreate[myAttempt] = 1 }
    OR_DIES
    fi;
    if
    :: atomic { permit[myAttempt] -> WRITE_IF(MAY_WRITE && phase == PERMIT && attempt == myAttempt); phase = LAUNCH; goto launch }
    :: atomic { goto permitStep }
    :: atomic { WRITE_IF(MAY_WRITE && phase == PERMIT && attempt == myAttempt); phase = REVOKE; goto revoke }
    OR_DIES
    fi;

launch:
    if
    :: atomic { MAY_RUN(myAttempt) -> run_(myAttempt) }
    :: atomic { !(MAY_RUN(myAttempt)) -> skip }
    :: atomic { state[myAttempt] == ABSENT && permit[myAttempt] -> lateRun[myAttempt] = 1 }
    OR_DIES
    fi;
    if
    :: atomic { state[myAttempt] == RUNNING -> WRITE_IF(MAY_WRITE && phase == LAUNCH && attempt == myAttempt); phase = VERIFY; goto verify }
    :: atomic { WRITE_IF(MAY_WRITE && phase == LAUNCH && attempt == myAttempt); phase = REVOKE; goto revoke }
    OR_DIES
    fi;

verify:
    if
    :: atomic { state[myAttempt] == RUNNING -> WRITE_IF(MAY_WRITE && phase == VERIFY && attempt == myAttempt); phase = ACTIVATED; AT_ACTIVATED; goto idle }
    :: atomic { WRITE_IF(MAY_WRITE && phase == VERIFY && attempt == myAttempt); phase = REVOKE; goto revoke }
    OR_DIES
    fi;

revoke:
#ifndef WITHOUT_ENDED_ATTEMPT
    if
    :: atomic { state[myAttempt] == RUNNING -> state[myAttempt] = TERMINATED }
    :: atomic { state[myAttempt] != RUNNING && permit[myAttempt] -> deletePermit(myAttempt) }
    :: atomic { state[myAttempt] != RUNNING && !permit[myAttempt] -> skip }
    OR_DIES
    fi;
#endif
    if
    :: atomic { IS_ENDED && myAttempt == 1 -> WRITE_IF(MAY_WRITE && phase == REVOKE && attempt == myAttempt); phase = PERMIT; attempt = 2; goto resume }
    :: atomic { IS_ENDED && myAttempt == 2 -> WRITE_IF(MAY_WRITE && phase == REVOKE && attempt == myAttempt); phase = GIVEN_UP; goto idle }
    :: atomic { !(IS_ENDED) -> goto revoke }
    OR_DIES
    fi;

idle:
    if OR_DIES fi
}

init {
    atomic {
        state[0] = STOPPED;
        run Environment();
        run Coordinator(0);
        run Coordinator(1)
    }
}
