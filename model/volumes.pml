/*
 * A disk of a member that moves: from instance 0, which has failed, to the replacement of attempt 1 or 2, or back. Calls that move it may land
 * at any later time, any number of times. Nobody takes it from an instance that serves, nobody but the open attempt has it on a machine that
 * runs, and no replacement is started as the member without it.
 *
 * What comes before and beside (launch, permit, activation, address) is recovery.pml's. How to read it: as recovery.pml.
 */

#define NOBODY 255
#define FREE 3

/* ================================================================ etcd */

/* Whose leader key it is; terms need no numbers (recovery.pml). */
byte holder = NOBODY;
byte everLed;

/* The journal: how far the recovery is, and with which attempt. */
mtype = { FENCE, DETACH, SEED, ASSEMBLE, VERIFY, REVOKE, GIVEBACK, ACTIVATED, NOT_MENDED };
mtype phase = FENCE;
byte attempt = 1;

/* ================================================================ EC2 */

mtype = { ABSENT, RUNNING, STOPPING, STOPPED, TERMINATED };
mtype state[3] = ABSENT;
/* Where the disk is; and what a describe may still show, which is what was true before the last change (A9). */
byte place;
byte earlierPlace;
/* Instance 0 in the boot in which it failed, falsely: it serves. A later boot of it serves only once the recovery is over (S9). */
bool firstBoot = true;

/* Calls given up that may still land. */
bit lateAttach[3], lateDetach[3];

#define serves(instance) ((state[instance] == RUNNING || state[instance] == STOPPING) && \
    ((instance == 0 && (firstBoot || phase == NOT_MENDED)) || (phase == ACTIVATED && instance == attempt)))

/* ================================================================ properties */

bool tornFromServing;
bool runsElsewhere;
bool startedWithout;

#ifdef PROPERTY_SERVING_KEEPS_DISK
#define CHECK_TORN(instance) tornFromServing = serves(instance); assert(!tornFromServing)
#else
#define CHECK_TORN(instance) skip
#endif
/* A disk on a machine that runs, and that is neither the old one nor that of the open attempt. */
#ifdef PROPERTY_ONE_TRUTH
#define CHECK_HOLDER runsElsewhere = (place != FREE && place != 0 && place != attempt && state[place] == RUNNING) || \
    (place != FREE && place != 0 && state[0] == RUNNING && firstBoot); assert(!runsElsewhere)
#else
#define CHECK_HOLDER skip
#endif
#ifdef PROPERTY_WHOLE_BOOT
#define CHECK_BOOT(instance) startedWithout = (place != instance && phase == ASSEMBLE && attempt == instance); assert(!startedWithout)
#else
#define CHECK_BOOT(instance) skip
#endif
#ifdef REACH_MOVED
bool reachedMoved;
#define AT_ACTIVATED reachedMoved = (attempt == 2); assert(!reachedMoved)
#else
#define AT_ACTIVATED skip
#endif
#ifdef REACH_GIVEN_BACK
bool reachedGivenBack;
#define AT_NOT_MENDED reachedGivenBack = (place == 0); assert(!reachedGivenBack)
#else
#define AT_NOT_MENDED skip
#endif

/* ================================================================ EC2's side of a call */

inline move(place_) { earlierPlace = place; place = place_ }

/* One instance at a time, and one that is there. */
#define MAY_ATTACH(instance) (place == FREE && (state[instance] == RUNNING || state[instance] == STOPPED))
inline attach(instance) { move(instance); CHECK_HOLDER }

/* S27: the call names the instance. Without: it comes off whoever has it. */
#ifdef WITHOUT_NAMED_INSTANCE
#define MAY_DETACH(instance) (place != FREE)
#else
#define MAY_DETACH(instance) (place == instance)
#endif
inline detach(instance) { CHECK_TORN(place); move(FREE) }

inline terminate(instance) {
    state[instance] = TERMINATED;
    if
    :: place == instance -> move(FREE)
    :: else
    fi
}

/* ================================================================ the rules that a switch removes */

/* S2. */
#ifdef WITHOUT_GUARD
#define MAY_WRITE true
#else
#define MAY_WRITE (holder == me)
#endif
/* S4. Without: a Stop that was answered is taken for one that has taken effect. */
#ifdef WITHOUT_OBSERVED_FENCE
#define IS_FENCED true
#else
#define IS_FENCED (state[0] == STOPPED)
#endif
/* S14, S27: a failed attempt is seen terminated before the next one. */
#ifdef WITHOUT_ENDED_ATTEMPT
#define IS_ENDED (place != myAttempt)
#else
#define IS_ENDED (state[myAttempt] == TERMINATED)
#endif
/* S27: the replacement is stopped, and its disk is seen on it, before it is started as the member. */
#ifdef WITHOUT_SEEN_DISK
#define IS_WHOLE true
#else
#define IS_WHOLE (seenPlace == myAttempt)
#endif

/*
 * The next way fences instance 0 before it does anything, so nobody serves on it. STARTED_AFTERWARDS: a person ends it here, and starts it.
 */
#ifdef STARTED_AFTERWARDS
#define GIVEN_BACK phase = NOT_MENDED; AT_NOT_MENDED; goto idle
#else
#define GIVEN_BACK AT_NOT_MENDED; goto idle
#endif

/* ================================================================ the environment */

/*
 * Late calls; and an instance may be stopped, or started with its disk, at any time: by a call of ours that lands late, or by somebody.
 */
#define LATE(instance) \
    :: atomic { lateAttach[instance] && MAY_ATTACH(instance) -> attach(instance) } \
    :: atomic { lateDetach[instance] && MAY_DETACH(instance) -> detach(instance) } \
    :: atomic { state[instance] == RUNNING && (instance != 0 || !firstBoot) -> state[instance] = STOPPING } \
    :: atomic { state[instance] == STOPPED && place == instance -> boot(instance) } \
    :: atomic { state[instance] == STOPPING -> state[instance] = STOPPED }

inline boot(instance) {
    state[instance] = RUNNING;
    if
    :: instance == 0 -> firstBoot = false
    :: else
    fi;
    CHECK_HOLDER
}

proctype Environment() {
    do
    :: atomic { holder != NOBODY -> holder = NOBODY }
    LATE(0)
    LATE(1)
    LATE(2)
    od
}

/* ================================================================ a coordinator */

inline forget() { myAttempt = 0; seenPlace = 0; isSeen = false }
#define OR_DIES :: atomic { forget(); goto campaign }
#define WRITE_IF(allowed) if :: !(allowed) -> forget(); goto campaign :: (allowed) -> skip fi

/* DescribeVolumes. */
inline look() {
    if
    :: seenPlace = place
    :: seenPlace = earlierPlace
    fi
}

/* A call is answered, or done with its reply lost, or refused, or given up to land later. The next look tells. */
#define ATTACH(instance) \
    if \
    :: atomic { MAY_ATTACH(instance) -> attach(instance) } \
    :: atomic { !MAY_ATTACH(instance) -> skip } \
    :: atomic { lateAttach[instance] = 1 } \
    OR_DIES \
    fi
#define DETACH_FROM(instance) \
    if \
    :: atomic { MAY_DETACH(instance) -> detach(instance) } \
    :: atomic { !MAY_DETACH(instance) -> skip } \
    :: atomic { lateDetach[instance] = 1 } \
    OR_DIES \
    fi
#define STOP(instance) \
    if \
    :: atomic { state[instance] == RUNNING -> state[instance] = STOPPING } \
    :: atomic { state[instance] != RUNNING -> skip } \
    OR_DIES \
    fi

proctype Coordinator(byte me) {
    byte myAttempt;
    byte seenPlace;
    bool isSeen;

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
        :: phase == FENCE -> goto fence
        :: phase == DETACH -> goto detachStep
        :: phase == SEED -> goto seed
        :: phase == ASSEMBLE -> goto assemble
        :: phase == VERIFY -> goto verify
        :: phase == REVOKE -> goto revoke
        :: phase == GIVEBACK -> goto giveback
        :: phase == ACTIVATED || phase == NOT_MENDED -> goto idle
        fi
    }

fence:
    STOP(0);
    if
    :: atomic { IS_FENCED -> WRITE_IF(MAY_WRITE && phase == FENCE); phase = DETACH; goto detachStep }
    :: atomic { !IS_FENCED -> goto fence }
    OR_DIES
    fi;

    /* Each time only when it is seen stopped right before (steps/detach.ts). */
detachStep:
    if
    :: atomic { look(); isSeen = IS_FENCED }
    OR_DIES
    fi;
    if
    :: atomic { seenPlace == FREE -> WRITE_IF(MAY_WRITE && phase == DETACH); phase = SEED; goto seed }
    :: atomic { seenPlace == 0 && isSeen -> skip }
    :: atomic { seenPlace != FREE && !(seenPlace == 0 && isSeen) -> goto detachStep }
    OR_DIES
    fi;
    DETACH_FROM(0);
    goto detachStep;

    /* The launch and the stop of what it boots (steps/seed.ts). */
seed:
    if
    :: atomic { state[myAttempt] == ABSENT -> state[myAttempt] = RUNNING }
    :: atomic { state[myAttempt] != ABSENT -> skip }
    OR_DIES
    fi;
    STOP(myAttempt);
    if
    :: atomic { state[myAttempt] == STOPPED -> WRITE_IF(MAY_WRITE && phase == SEED && attempt == myAttempt); phase = ASSEMBLE; goto assemble }
    :: atomic { state[myAttempt] != STOPPED -> goto seed }
    OR_DIES
    fi;

assemble:
    if
    :: atomic { look() }
    OR_DIES
    fi;
    if
    :: atomic { IS_WHOLE -> skip }
    :: atomic { !IS_WHOLE -> goto attachStep }
    OR_DIES
    fi;
    if
    :: atomic { state[myAttempt] == STOPPED -> CHECK_BOOT(myAttempt); boot(myAttempt) }
    :: atomic { state[myAttempt] != STOPPED -> skip }
    OR_DIES
    fi;
    if
    :: atomic { state[myAttempt] == RUNNING && place == myAttempt -> WRITE_IF(MAY_WRITE && phase == ASSEMBLE && attempt == myAttempt); phase = VERIFY; goto verify }
    :: atomic { !(state[myAttempt] == RUNNING && place == myAttempt) -> goto assemble }
    /* It takes too long. */
    :: atomic { WRITE_IF(MAY_WRITE && phase == ASSEMBLE && attempt == myAttempt); phase = REVOKE; goto revoke }
    OR_DIES
    fi;

attachStep:
    ATTACH(myAttempt);
    goto assemble;

verify:
    if
    :: atomic { WRITE_IF(MAY_WRITE && phase == VERIFY && attempt == myAttempt && state[0] != RUNNING); phase = ACTIVATED; AT_ACTIVATED; goto idle }
    :: atomic { WRITE_IF(MAY_WRITE && phase == VERIFY && attempt == myAttempt); phase = REVOKE; goto revoke }
    OR_DIES
    fi;

    /* Stopped, its disk off, terminated, and seen so (steps/given-back.ts, revoke.ts). */
revoke:
#ifndef WITHOUT_ENDED_ATTEMPT
    STOP(myAttempt);
#endif
    DETACH_FROM(myAttempt);
#ifndef WITHOUT_ENDED_ATTEMPT
    if
    :: atomic { state[myAttempt] == STOPPED && place != myAttempt -> terminate(myAttempt) }
    :: atomic { !(state[myAttempt] == STOPPED && place != myAttempt) -> goto revoke }
    OR_DIES
    fi;
#endif
    if
    :: atomic { IS_ENDED && myAttempt == 1 -> WRITE_IF(MAY_WRITE && phase == REVOKE && attempt == myAttempt); phase = SEED; attempt = 2; goto resume }
    :: atomic { IS_ENDED && myAttempt == 2 -> WRITE_IF(MAY_WRITE && phase == REVOKE && attempt == myAttempt); phase = GIVEBACK; goto giveback }
    :: atomic { !IS_ENDED -> goto revoke }
    OR_DIES
    fi;

giveback:
    ATTACH(0);
    if
    :: atomic { look() }
    OR_DIES
    fi;
    if
    :: atomic { seenPlace == 0 && place == 0 -> WRITE_IF(MAY_WRITE && phase == GIVEBACK); GIVEN_BACK }
    :: atomic { !(seenPlace == 0 && place == 0) -> goto giveback }
    OR_DIES
    fi;

idle:
    if OR_DIES fi
}

init {
    atomic {
        state[0] = RUNNING;
        run Environment();
        run Coordinator(0);
        run Coordinator(1)
    }
}
