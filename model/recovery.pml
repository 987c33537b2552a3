/*
 * One recovery of one member: at most one launch, at most one serving instance, no launch before the fence.
 *
 * What is modelled, what is left out and why that is sound: README.md. Rules have the numbers of docs/SPEC.md; each is removed by one
 * WITHOUT_... switch. test/model/configurations.ts lists the runs.
 *
 * How to read it: the globals are the outside world (etcd, EC2, agents, the network), a Coordinator's locals are its memory. One statement,
 * or one atomic block, is one call as the world sees it. Between any two of them a coordinator may stay for ever, its lease may expire, and
 * everything else may happen; so there is no clock, and a deadline (S1) cannot exclude any behaviour.
 */

#ifndef COORDINATORS
#define COORDINATORS 2
#endif
#ifndef ATTEMPTS
#define ATTEMPTS 2
#endif
/* Instances EC2 may launch. With all rules in force it never wants to launch more than one per attempt: PROPERTY_BOUNDS. */
#ifndef LAUNCHES
#define LAUNCHES ATTEMPTS
#endif
#define ZONES 2
#define NOBODY 255
#define NONE 0

/* ================================================================ etcd */

/*
 * Whose leader key it is. A coordinator campaigns only after it dropped its earlier term, so "the create-revision of the leader key is my
 * term's" is the same as "the key is mine": terms need no numbers, and their count no bound.
 */
byte holder = NOBODY;
/* Coordinators are alike, so the one that leads first may be called 0, the next one that leads for the first time 1, and so on. */
byte everLed;
#ifdef TERMS
/* A bound after all, where there are more coordinators than can be searched without. */
byte termCount;
#endif

/* The intent. Its frozen plan says in which zone attempt 1 goes; attempt 2 takes the other zone, and so on in turn. */
#define ABSENT 0
#define OPEN 1
#define CLOSED 2
byte intent = ABSENT;
bit plannedZone;

/* The journal: how far the steps of the present attempt are (recovery/src/strategies), and what attempt n launched. */
#define FENCE 1
#define PERMIT 2
#define LAUNCH 3
#define VERIFY 4
#define REVOKE 5
#define ACTIVATE 6
#define CLOSING 7
#define EXHAUSTED 8
byte phase = NONE;
byte attempt = 1;
byte launched = NONE;

/* The one instance that may serve. */
#define OLD 0
byte activation = OLD;

/* ================================================================ EC2 */

/* Instances: 0 is the one that failed, or only seemed to; 1.. are launched. */
#define UNBORN 0
#define RUNNING 1
#define STOPPING 2
#define STOPPED 3
#define TERMINATED 4
byte state[LAUNCHES + 1];
byte launchCount;

/* Network interfaces, one per attempt and zone: an interface lives in a subnet, so its zone is its own. A permit in use holds USED + instance. */
#define PERMITS (ATTEMPTS * ZONES)
#define UNMADE 0
#define FREE 1
#define DELETED 2
#define USED 3
byte permit[PERMITS];
/* By which (attempt, zone) an instance was launched: what its token, its tags and its interface tell. */
byte origin[LAUNCHES + 1];

/*
 * Calls that were given up (no answer in time, or the caller died) and may still land: at any time, in any order, any number of times.
 * TerminateInstances is not among them: a replacement may end by itself at any time, which is the same and more.
 */
bit lateStop;
bit lateLaunch[PERMITS];
bit lateDelete[PERMITS];

/* ================================================================ agents */

/* Whether the old instance comes back, and who serves, changes nothing of what coordinators do: searched only where it is asked about. */
#if defined(PROPERTY_SERVING) || defined(REACH_PREDECESSOR_BACK)
#define WITH_AGENTS
#endif
bit serving[LAUNCHES + 1];
/*
 * Some coordinator's view of etcd says "active" of the old instance, by a proof made since this boot of it. However old the view becomes, it may
 * be answered from at any time of this boot, and the answer takes any time; both die with the boot (S9: view/activation-answers.ts; an ack
 * names the boot epoch of the heartbeat it answers). Any other coordinator may know better meanwhile.
 * Other instances need none: once true of them, the answer stays true as long as this recovery is what we look at.
 */
bit viewSaysActive;

/* ================================================================ properties */

/* S6, S7, S14 (I1): launches that no leader has seen ended: the instance terminated, or its permit deleted (one in use cannot be). */
byte launchesNotEnded;
bit ended[LAUNCHES + 1];
/* S8, S9 (I2). */
byte servingCount;
/* S4 (I3). */
bool oldWasStopped;
/* The bounds of the model were never in the way. */
bool withinBounds = true;

/* The runner insists on the text of the failed assertion, so every property has a variable of its own. What is not chosen costs nothing. */
#ifdef PROPERTY_LAUNCH
#define CHECK_LAUNCH assert(launchesNotEnded <= 1)
#else
#define CHECK_LAUNCH skip
#endif
#ifdef PROPERTY_SERVING
#define CHECK_SERVING assert(servingCount <= 1)
#else
#define CHECK_SERVING skip
#endif
#ifdef PROPERTY_FENCE
#define CHECK_FENCE assert(oldWasStopped)
#else
#define CHECK_FENCE skip
#endif
#ifdef PROPERTY_BOUNDS
#define CHECK_BOUNDS withinBounds = false; assert(withinBounds)
#else
#define CHECK_BOUNDS skip
#endif

/* Reachability is the same, turned round: a place that has to be found, so that nobody believes a model that cannot move. */
#ifdef REACH_DONE
bool reachedDone;
#define AT_DONE(attempt_) reachedDone = true; assert(!reachedDone)
#endif
#ifdef REACH_SECOND_REPLACEMENT
bool reachedSecondReplacement;
#define AT_DONE(attempt_) reachedSecondReplacement = (attempt_ == 2); assert(!reachedSecondReplacement)
#endif
#ifdef REACH_TAKEOVER
byte begunBy = NOBODY;
bool reachedTakeover;
#define AT_BEGIN begunBy = me
#define AT_DONE(attempt_) reachedTakeover = (begunBy != me); assert(!reachedTakeover)
#endif
#ifdef REACH_SECOND_ZONE
bool reachedSecondZone;
#define AT_LAUNCHED(permit_) reachedSecondZone = (permit_ >= ZONES && permit_ % ZONES != plannedZone); assert(!reachedSecondZone)
#endif
#ifdef REACH_ADOPTION
bool reachedAdoption;
#define AT_ADOPTION reachedAdoption = true; assert(!reachedAdoption)
#endif
#ifdef REACH_REFUSED_LATE_LAUNCH
bool reachedRefusedLateLaunch;
#define AT_REFUSED_LATE_LAUNCH reachedRefusedLateLaunch = true; assert(!reachedRefusedLateLaunch)
#endif
#ifdef REACH_PREDECESSOR_BACK
bool reachedPredecessorBack;
#define AT_PREDECESSOR_BACK reachedPredecessorBack = (activation != OLD && servingCount == 1); assert(!reachedPredecessorBack)
#endif
#ifndef AT_BEGIN
#define AT_BEGIN skip
#endif
#ifndef AT_DONE
#define AT_DONE(attempt_) skip
#endif
#ifndef AT_LAUNCHED
#define AT_LAUNCHED(permit_) skip
#endif
#ifndef AT_ADOPTION
#define AT_ADOPTION skip
#endif
#ifndef AT_REFUSED_LATE_LAUNCH
#define AT_REFUSED_LATE_LAUNCH skip
#endif
#ifndef AT_PREDECESSOR_BACK
#define AT_PREDECESSOR_BACK skip
#endif

/* ================================================================ the rules that a switch removes */

/* S2: a write compares the term (and with it everything read under it). Without: whoever believes to lead writes what it believes. */
#ifdef WITHOUT_GUARD
#define MAY_WRITE true
#else
#define MAY_WRITE (holder == me)
#endif

/* S5: one intent per incarnation. Its transaction compares the intent's absence and the activation the plan is based on. */
#ifdef WITHOUT_GUARD
#define MAY_BEGIN true
#else
#define MAY_BEGIN (holder == me && intent == ABSENT && activation == OLD)
#endif

/* S5, S6: what is sent is what is on record. Without: every leader chooses the zone of the present attempt anew. */
#ifdef WITHOUT_FROZEN_REQUEST
#define ZONE_OF_ATTEMPT chosenZone
#else
#define ZONE_OF_ATTEMPT ((chosenZone + myAttempt - 1) % ZONES)
#endif
#define MY_PERMIT ((myAttempt - 1) * ZONES + ZONE_OF_ATTEMPT)

/* S8: one activation per incarnation: the transaction compares the activation frozen in the intent. */
#if defined(WITHOUT_GUARD) || defined(WITHOUT_ACTIVATION_COMPARE)
#define MAY_ACTIVATE MAY_WRITE
#else
#define MAY_ACTIVATE (MAY_WRITE && activation == OLD)
#endif

/* S9: what a view of etcd that is current says of this instance (view/activation-answers.ts). */
#define IS_ACTIVE(instance) (activation == instance && !(instance == OLD && intent != ABSENT))

/* ================================================================ EC2's side of a call */

inline startServing(instance) {
    if
    :: !serving[instance] -> serving[instance] = 1; servingCount++; CHECK_SERVING
    :: else
    fi
}

inline stopServing(instance) {
    if
    :: serving[instance] -> serving[instance] = 0; servingCount--
    :: else
    fi
}

/* The end of a boot. S9: what a view said before the next one is no answer to it. Without: as long as the view is young, it is. */
inline down(instance, state_) {
    state[instance] = state_;
    stopServing(instance);
#ifndef WITHOUT_PROOF_SINCE_BOOT
    if
    :: instance == OLD -> viewSaysActive = 0
    :: else
    fi
#endif
}

/* What a leader has seen terminated does not count any more. */
inline seenEnded(instance) {
    if
    :: !ended[instance] -> ended[instance] = 1; launchesNotEnded--
    :: else
    fi
}

inline seenPermitGone(permit_) {
    permit[permit_] = DELETED;
    if
    :: launchCount > 0 && origin[1] == permit_ -> seenEnded(1)
    :: else
    fi;
    if
    :: launchCount > 1 && origin[2] == permit_ -> seenEnded(2)
    :: else
    fi;
#if LAUNCHES > 2
    if
    :: launchCount > 2 && origin[3] == permit_ -> seenEnded(3)
    :: else
    fi
#else
    skip
#endif
}

/* Every process starts in standby (S9), whatever its disk says. */
inline boot(instance) {
    state[instance] = RUNNING;
#if defined(WITH_AGENTS) && defined(WITHOUT_ACTIVATION)
    startServing(instance)
#endif
}

inline terminate(instance) {
    if
    :: state[instance] == RUNNING ->
        down(instance, TERMINATED);
        if
        :: permit[origin[instance]] == USED + instance -> permit[origin[instance]] = FREE
        :: else
        fi
    :: else
    fi
}

/*
 * RunInstances of (attempt, zone) with that attempt's permit. A known token is answered with its instance, whatever became of the
 * permit; tokens are zonal, so the token of (attempt, zone) is one of its own. `reply`: an instance, or one of the refusals.
 */
#define REFUSED_CAPACITY 20
#define REFUSED_PERMIT 21
#define REFUSED_TERMINATED 22
inline runInstances(permit_, reply) {
    reply = NONE;
    launchByToken(permit_, reply);
    if
    :: reply != NONE && state[reply] == TERMINATED -> reply = REFUSED_TERMINATED
    :: reply != NONE && state[reply] != TERMINATED
    :: reply == NONE -> launchAnew(permit_, reply)
    fi
}

/* S6. With a token that is new for each call, or for each term, an earlier launch is not recognised. */
inline launchByToken(permit_, reply) {
#ifndef WITHOUT_DETERMINISTIC_TOKEN
    scan = 1;
    do
    :: scan <= launchCount && origin[scan] == permit_ -> reply = scan; break
    :: scan <= launchCount && origin[scan] != permit_ -> scan++
    :: scan > launchCount -> break
    od;
    scan = 0
#else
    skip
#endif
}

inline launchAnew(permit_, reply) {
    if
#ifndef WITHOUT_PERMIT
    :: permit[permit_] != FREE -> reply = REFUSED_PERMIT
    :: permit[permit_] == FREE && launchCount < LAUNCHES ->
#else
    :: launchCount < LAUNCHES ->
#endif
        launchCount++;
        reply = launchCount;
        origin[launchCount] = permit_;
        permit[permit_] = USED + launchCount;
        launchesNotEnded++;
        boot(launchCount);
        CHECK_LAUNCH;
        CHECK_FENCE;
        AT_LAUNCHED(permit_)
#ifndef WITHOUT_PERMIT
    :: permit[permit_] == FREE && launchCount == LAUNCHES -> reply = REFUSED_CAPACITY; CHECK_BOUNDS
#else
    :: launchCount == LAUNCHES -> reply = REFUSED_CAPACITY; CHECK_BOUNDS
#endif
    :: reply = REFUSED_CAPACITY
    fi
}

/* ================================================================ the environment */

/* What was sent and given up lands now. */
inline landLaunch(permit_) {
#ifdef WITHOUT_DETERMINISTIC_TOKEN
    lateLaunch[permit_] = 0;
#endif
    runInstances(permit_, reply);
    if
    :: reply == REFUSED_PERMIT && permit[permit_] == DELETED -> AT_REFUSED_LATE_LAUNCH
    :: else
    fi;
    reply = NONE
}

#define LATE_CALLS_OF_PERMIT(permit_) \
    :: atomic { lateLaunch[permit_] -> landLaunch(permit_) } \
    :: atomic { lateDelete[permit_] && permit[permit_] == FREE -> permit[permit_] = DELETED }

/* A replacement may end by itself as well: EC2 launches and then terminates (a volume that cannot be made), or the host fails. */
#define END_OF_REPLACEMENT(instance) \
    :: atomic { state[instance] == RUNNING -> terminate(instance) }

/* Agents ask, coordinators answer from their views of etcd, the answer takes its time. One other than "active" stops the workload. */
#define BOOTED(instance) (state[instance] == RUNNING || state[instance] == STOPPING)
#define ANSWERS_TO_REPLACEMENT(instance) \
    :: atomic { BOOTED(instance) && IS_ACTIVE(instance) && !serving[instance] -> startServing(instance) }

proctype Environment() {
    byte scan, reply;

    do
    /* A lease may expire at any moment, also while its holder is well, and at any moment after its holder died. */
    :: atomic { holder != NOBODY -> holder = NOBODY }

    /* The old instance stops as asked, and may be started by somebody, who is not us, as often as he likes. */
    :: atomic { state[OLD] == STOPPING -> down(OLD, STOPPED); oldWasStopped = true }
#ifdef WITH_AGENTS
    :: atomic { state[OLD] == STOPPED -> boot(OLD); AT_PREDECESSOR_BACK }
#endif
    :: atomic { lateStop && state[OLD] == RUNNING -> state[OLD] = STOPPING }

    LATE_CALLS_OF_PERMIT(0)
    LATE_CALLS_OF_PERMIT(1)
    LATE_CALLS_OF_PERMIT(2)
    LATE_CALLS_OF_PERMIT(3)
    END_OF_REPLACEMENT(1)
    END_OF_REPLACEMENT(2)
#if LAUNCHES > 2
    END_OF_REPLACEMENT(3)
#endif
#if ATTEMPTS > 2
    LATE_CALLS_OF_PERMIT(4)
    LATE_CALLS_OF_PERMIT(5)
#endif
#if defined(WITH_AGENTS) && !defined(WITHOUT_ACTIVATION)
    :: atomic { BOOTED(OLD) && IS_ACTIVE(OLD) && !viewSaysActive -> viewSaysActive = 1 }
    :: atomic { BOOTED(OLD) && viewSaysActive && !serving[OLD] -> startServing(OLD) }
    :: atomic { serving[OLD] && !IS_ACTIVE(OLD) -> stopServing(OLD) }
    ANSWERS_TO_REPLACEMENT(1)
    ANSWERS_TO_REPLACEMENT(2)
#if LAUNCHES > 2
    ANSWERS_TO_REPLACEMENT(3)
#endif
#endif
    od
}

/* ================================================================ a coordinator */

/* At any line a coordinator may die, or find out that its term is over: it forgets everything and campaigns again. */
inline forget() {
    chosenZone = 0; myAttempt = 0; mine = NONE
}
#define OR_DIES :: atomic { forget(); goto campaign }

/* A guarded write: refused, the run ends (effect.ts, leader-term.ts). */
#define WRITE_IF(allowed) if :: !(allowed) -> forget(); goto campaign :: else fi

#define REPLIED_INSTANCE (reply > NONE && reply <= LAUNCHES)

proctype Coordinator(byte me) {
    bit chosenZone;          /* the plan, as it is believed to be on record */
    byte myAttempt, mine;    /* the attempt under way, and what it launched, by the journal as it was read */
    byte reply, scan;

campaign:
    atomic {
#ifdef TERMS
        holder == NOBODY && me <= everLed && termCount < TERMS -> termCount++;
#else
        holder == NOBODY && me <= everLed ->
#endif
        holder = me;
        if
        :: me == everLed -> everLed++
        :: else
        fi
    }

    /* Reads intent and journal, and goes on where they end, whoever wrote them (engine.ts). */
resume:
    atomic {
        if
        :: intent == ABSENT -> goto decide
        :: intent == CLOSED -> goto idle
        :: else
        fi;
        myAttempt = attempt; mine = launched;
#ifdef WITHOUT_FROZEN_REQUEST
        if :: chosenZone = 0 :: chosenZone = 1 fi;
#else
        chosenZone = plannedZone;
#endif
        if
        :: phase == FENCE -> goto fence
        :: phase == PERMIT -> goto permitStep
        :: phase == LAUNCH -> goto launchStep
        :: phase == VERIFY -> goto verifyStep
        :: phase == REVOKE -> goto revokeStep
        :: phase == ACTIVATE -> goto activateStep
        :: phase == CLOSING -> goto closeStep
        :: phase == EXHAUSTED -> goto idle
        fi
    }

idle:
    if OR_DIES fi;

    /*
     * Looks at what EC2 has where, which is not the same at every moment, and plans. Zones are alike, so the one that is frozen may be
     * called 0; where nothing is frozen, both are to be had.
     */
decide:
#if defined(WITHOUT_GUARD) || defined(WITHOUT_FROZEN_REQUEST)
    if :: chosenZone = 0 :: chosenZone = 1 OR_DIES fi;
#endif
    atomic {
        WRITE_IF(MAY_BEGIN);
        intent = OPEN; plannedZone = chosenZone; phase = FENCE; attempt = 1; launched = NONE; myAttempt = 1; AT_BEGIN
    }

    /* S4. A reply proves nothing; `stopped` may be shown late, but not before it was true (A6). */
fence:
#ifndef WITHOUT_FENCE
    do
    :: atomic { state[OLD] == RUNNING -> state[OLD] = STOPPING }
    :: lateStop = 1
#ifdef WITHOUT_OBSERVED_FENCE
    :: break
#else
    :: oldWasStopped -> break
#endif
    OR_DIES
    od;
#endif
    atomic { WRITE_IF(MAY_WRITE); phase = PERMIT }

    /* A permit that cannot be had ends the attempt; nothing was launched, so there is nothing to end (revoke.ts). */
permitStep:
#ifndef WITHOUT_PERMIT
    if
    :: atomic { permit[MY_PERMIT] == UNMADE -> permit[MY_PERMIT] = FREE }
    :: permit[MY_PERMIT] != UNMADE
    :: goto nextAttempt
    OR_DIES
    fi;
#endif
    atomic { WRITE_IF(MAY_WRITE); phase = LAUNCH }

    /* S6. The same request again and again, until something is known. Looking may miss what is there (A9), but not invent. */
launchStep:
    do
    :: atomic { runInstances(MY_PERMIT, reply);
        if
        :: REPLIED_INSTANCE -> mine = reply; reply = NONE; goto launchSucceeded
        :: else -> reply = NONE; goto launchFailed
        fi }
    :: atomic { runInstances(MY_PERMIT, reply); reply = NONE } /* the reply is lost */
    :: atomic { lateLaunch[MY_PERMIT] == 0 -> lateLaunch[MY_PERMIT] = 1 }
    :: atomic { launchCount > 0 && origin[1] == MY_PERMIT -> mine = 1; goto launchSucceeded }
    :: atomic { launchCount > 1 && origin[2] == MY_PERMIT -> mine = 2; goto launchSucceeded }
#if LAUNCHES > 2
    :: atomic { launchCount > 2 && origin[3] == MY_PERMIT -> mine = 3; goto launchSucceeded }
#endif
    :: goto launchFailed /* too many unknown outcomes */
    OR_DIES
    od;
launchSucceeded:
    atomic { WRITE_IF(MAY_WRITE); phase = VERIFY; launched = mine; goto verifyStep }
launchFailed:
    atomic { WRITE_IF(MAY_WRITE); phase = REVOKE; launched = NONE; goto revokeStep }

    /* Passes or fails; either way others may have decided differently meanwhile. */
verifyStep:
    if
    :: goto verified
    :: goto verifyFailed
    OR_DIES
    fi;
verifyFailed:
    atomic { WRITE_IF(MAY_WRITE); phase = REVOKE; goto revokeStep }

    /* S14: what attempt n launched is seen terminated. S7: then its permit is deleted, on EC2's own word. */
revokeStep:
    if
    :: mine != NONE ->
#ifdef WITHOUT_REPLACEMENT_FENCE
        goto nextAttempt
#else
        do
        :: atomic { state[mine] == RUNNING -> terminate(mine) }
        :: atomic { state[mine] == TERMINATED -> seenEnded(mine); break }
        OR_DIES
        od
#endif
    :: else
    fi;
#ifndef WITHOUT_PERMIT
    do
    :: atomic { permit[MY_PERMIT] == FREE || permit[MY_PERMIT] == DELETED -> seenPermitGone(MY_PERMIT); break }
    :: atomic { permit[MY_PERMIT] == FREE && lateDelete[MY_PERMIT] == 0 -> lateDelete[MY_PERMIT] = 1 }
#ifdef WITHOUT_CONFIRMATION
    :: lateDelete[MY_PERMIT] -> break
#endif
    /*
     * "Not found": true of a permit that EC2 knew (A9), and then the first of these. Of one that it does not know yet it may be said as often as
     * you like: S7 lets that count for nothing.
     */
#ifdef WITHOUT_KNOWN_PERMIT
    :: permit[MY_PERMIT] == FREE -> break
#endif
#ifdef WITHOUT_ADOPTION
    :: permit[MY_PERMIT] > USED -> break
#else
    :: atomic { permit[MY_PERMIT] > USED && mine == NONE -> mine = permit[MY_PERMIT] - USED; goto adopt }
#endif
    OR_DIES
    od;
#endif

nextAttempt:
    atomic {
        WRITE_IF(MAY_WRITE);
        if
        :: myAttempt == ATTEMPTS -> phase = EXHAUSTED; forget(); goto idle
        :: else -> myAttempt++; mine = NONE; phase = PERMIT; attempt = myAttempt; launched = NONE; goto permitStep
        fi
    }

    /* The permit is in use, so the attempt did launch. */
adopt:
    atomic { WRITE_IF(MAY_WRITE); phase = VERIFY; launched = mine; AT_ADOPTION; goto verifyStep }

verified:
    atomic { WRITE_IF(MAY_WRITE); phase = ACTIVATE }
activateStep:
    atomic { WRITE_IF(MAY_ACTIVATE); phase = CLOSING; activation = mine }
closeStep:
    atomic { WRITE_IF(MAY_WRITE); intent = CLOSED; AT_DONE(myAttempt); forget(); goto idle }
}

init {
    atomic {
        state[OLD] = RUNNING;
#ifdef WITH_AGENTS
        serving[OLD] = 1;
        servingCount = 1;
#endif
        run Environment();
        run Coordinator(0);
        run Coordinator(1);
#if COORDINATORS > 2
        run Coordinator(2);
#endif
    }
}
