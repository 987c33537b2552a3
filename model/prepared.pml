/*
 * What is made for a suspect (S31): a seed is launched in quarantine before the fence, while the member may be well. The recovery of the same name takes
 * it over, or it is dropped, and the next preparation or recovery has the next name.
 *
 * What is modelled, what is left out and why that is sound: README.md. Rules have the numbers of docs/SPEC.md; each is removed by one WITHOUT_... switch.
 * test/model/preparations.ts lists the runs. How to read it: as ordinals.pml, of which this has the outline. Nobody knows here whether the member is well,
 * suspect or dead: a leader begins, drops and takes over whenever it likes, which is every verdict, every limit and every refutation.
 */

/* Names there may be, one or two: ordinals of this instance; and how many of them, the first ones, may be prepared for. */
#ifndef NAMES
#define NAMES 2
#endif
#ifndef PREPARED
#define PREPARED 1
#endif
#ifndef COORDINATORS
#define COORDINATORS 2
#endif
#define NOBODY 255
#define NONE 0

/* ================================================================ etcd */

/* Whose leader key it is, as in recovery.pml. */
byte holder = NOBODY;
byte everLed;

#define OLD 0
byte activation = OLD;
byte ordinal;

/* The record of each preparation, with the plan it froze. Absent: not begun, taken over, or gone. */
#define OPEN 1
#define DROPPED 2
byte preparation[NAMES];
bit preparedPlan[NAMES];

/* The intent: which name, by which plan, whether it took a preparation over, and how many there have been, which is its revision. */
bit intent;
bit takenOver;
bit intentPlan;
byte intentName;
byte intentRevision;
/* How far it is with what a preparation does not do. */
#define FENCE 1
#define MAKE 2
#define ASSEMBLE 3
#define ACTIVATE 4
#define CLOSING 5
byte step;
/* Names that are in the history. */
bit closed[NAMES];

/* The journal of each name: its attempt, whoever goes on with it; the plan its requests are frozen by, in quarantine or not; what was launched. */
#define PERMIT 1
#define LAUNCH 2
#define SEED 3
#define READY 4
#define REVOKE 5
#define ENDED 6
byte phase[NAMES];
bit frozenPlan[NAMES];
bit inQuarantine[NAMES];
byte launched[NAMES];

/* ================================================================ EC2 */

/* Instance 0 is the member. Two plans are two subnets, hence two permits and two zones, in which one token means two things. */
#define INSTANCE(name, plan) (2 * (name) + (plan) + 1)
#define INSTANCES (2 * NAMES + 1)
#define UNBORN 0
#define RUNNING 1
#define STOPPING 2
#define STOPPED 3
#define TERMINATED 4
byte state[INSTANCES];
#define ALIVE(instance) (state[instance] == RUNNING || state[instance] == STOPPED)

#define UNMADE 0
#define FREE 1
#define DELETED 2
#define USED 3
byte permit[INSTANCES];

/* Calls that were given up and may still land, at any time, in any order, any number of times, for as long as they could have an effect. */
bit lateLaunch[INSTANCES];
bit lateTerminate[INSTANCES];

/* ================================================================ agents */

#ifdef PROPERTY_SERVING
#define WITH_AGENTS
#endif
bit serving[INSTANCES];
byte servingCount;
/* As in recovery.pml: a view proven since this boot of the member said "active", and may be answered from until the boot ends. */
bit viewSaysActive;

/* ================================================================ properties */

/* S4: the member was seen to be down at some moment since the intent of this name. */
bit fencedFor[NAMES];
bool launchedUnfenced;
bool leftQuarantine;
/* S6, S7: two launches of one name. */
bool launchedBeside;
/* S5. */
bit begun[NAMES];
bool begunOnce = true;
bool activatedByClosed;
/* S6, S31: what is activated was launched by another plan than the recovery's. */
bool activatedForeign;
/* S31: what drops a preparation has ended what a recovery has taken over. */
bool endedAdopted;
/* S31: something is there of which no record says so. */
bool leaked;
/* S31: nobody does anything any more, and something is there. */
bool leftBehind;

#ifdef PROPERTY_SERVING
#define CHECK_SERVING assert(servingCount <= 1)
#else
#define CHECK_SERVING skip
#endif
#ifdef PROPERTY_FENCE_ANEW
#define CHECK_FENCE assert(!launchedUnfenced)
#else
#define CHECK_FENCE skip
#endif
#ifdef PROPERTY_QUARANTINE
#define CHECK_QUARANTINE assert(!leftQuarantine)
#else
#define CHECK_QUARANTINE skip
#endif
#ifdef PROPERTY_LAUNCHED_ALONE
#define CHECK_ALONE assert(!launchedBeside)
#else
#define CHECK_ALONE skip
#endif
#ifdef PROPERTY_ONE_INTENT
#define CHECK_INTENT assert(begunOnce)
#else
#define CHECK_INTENT skip
#endif
#ifdef PROPERTY_ACTIVATED_BY_OPEN
#define CHECK_ACTIVATED_BY_OPEN assert(!activatedByClosed)
#else
#define CHECK_ACTIVATED_BY_OPEN skip
#endif
#ifdef PROPERTY_OWN_LAUNCH
#define CHECK_OWN_LAUNCH assert(!activatedForeign)
#else
#define CHECK_OWN_LAUNCH skip
#endif
#ifdef PROPERTY_ADOPTED_STAYS
#define CHECK_ADOPTED assert(!endedAdopted)
#else
#define CHECK_ADOPTED skip
#endif
#ifdef PROPERTY_NO_LEAK
#define CHECK_LEAK assert(!leaked)
#else
#define CHECK_LEAK skip
#endif

/*
 * From some moment on nothing fails, nobody is interrupted, nothing is begun and nothing lands late: what is there is gone on with. When there is nothing
 * left to do, nothing is left.
 */
#ifdef PROPERTY_ALL_GONE
bit calm;
#define IN_CALM calm
#else
#define IN_CALM false
#endif

/* Reachability, as in recovery.pml. */
#ifdef REACH_TAKEN_OVER
bool reachedTakenOver;
#define AT_CLOSED reachedTakenOver = (takenOver && closed[intentName] == 0 && activation != OLD); assert(!reachedTakenOver)
#else
#define AT_CLOSED skip
#endif
#ifdef REACH_DROPPED_BESIDE
bool reachedDroppedBeside;
#define AT_GONE reachedDroppedBeside = (launched[myName] != NONE && intent); assert(!reachedDroppedBeside)
#else
#define AT_GONE skip
#endif
#ifdef REACH_LATE_SEED
bool reachedLateSeed;
#define AT_LATE_LAUNCH(name) reachedLateSeed = (intent && takenOver && intentName == name && step == FENCE && !fencedFor[name]); assert(!reachedLateSeed)
#else
#define AT_LATE_LAUNCH(name) skip
#endif

/* ================================================================ the rules that a switch removes */

/* S2. ONE_TERM: any number of tasks of one process, beside each other, in a term that tells nothing. */
#ifdef ONE_TERM
#define MY_TERM true
#else
#define MY_TERM (holder == me)
#endif

#define PREPARING 1
#define REMOVING 2
#define RECOVERING 3
#define MY_INTENT (intent && intentRevision == myRevision)
/* S31: a write of the journal compares the record it is for: a preparation that is open, one that is dropped, or the intent. */
#define MY_RECORD ((kind == PREPARING && preparation[myName] == OPEN) || (kind == REMOVING && preparation[myName] == DROPPED) || \
    (kind == RECOVERING && MY_INTENT))
#define MAY_WRITE(phase_) (MY_TERM && MY_RECORD && phase[myName] == phase_)
#define MAY_STEP(step_) (MY_TERM && MY_INTENT && step == step_)

/* S31: the record is there before anything is called. Without: it is written once something was launched. */
#ifdef WITHOUT_RECORD_FIRST
#define CALLS_FIRST true
#else
#define CALLS_FIRST false
#endif

/* S5. */
#define MAY_BEGIN (MY_TERM && !intent && activation == OLD && ordinal == seen)

/* S31: what begins without a preparation compares that there is none. Without: what its view shows. */
#ifdef WITHOUT_NO_PREPARATION
#define NO_PREPARATION true
#else
#define NO_PREPARATION (preparation[seen] == NONE)
#endif

/* S31: taken over only where the launch is the same. Without: a seed is a seed. */
#ifdef WITHOUT_SAME_LAUNCH
#define IS_SAME_LAUNCH true
#else
#define IS_SAME_LAUNCH (plan == preparedPlan[seen])
#endif

/* S6: whoever goes on sends what is in the journal. Without: what its own record says. */
#ifdef WITHOUT_FROZEN_REQUEST
#define REQUESTED INSTANCE(myName, plan)
#else
#define REQUESTED INSTANCE(myName, frozenPlan[myName])
#endif

/* S31: the drop compares the record, and that no recovery has begun. Without: it writes over what is there. */
#ifdef WITHOUT_DROP_COMPARE
#define MAY_DROP MY_TERM
#else
#define MAY_DROP (MY_TERM && preparation[myName] == OPEN && (seen != myName || (!intent && activation == OLD && ordinal == myName)))
#endif

/* S31: the drop raises the ordinal. */
#ifdef WITHOUT_RAISE
#define RAISE_DROPPED skip
#else
#define RAISE_DROPPED if :: activation == OLD && ordinal == myName -> ordinal++ :: else fi
#endif

/* S31: only an open one is taken over. Without: whatever has this name. */
#ifdef WITHOUT_DROP_LOOK
#define MAY_TAKE (preparation[seen] == OPEN || preparation[seen] == DROPPED)
#define SEEN_PREPARED (seenPreparation != NONE)
#else
#define MAY_TAKE (preparation[seen] == OPEN)
#define SEEN_PREPARED (seenPreparation == OPEN)
#endif

/* S31: whoever removes looks whether a recovery has its name. */
#ifdef WITHOUT_RECOVERY_LOOK
#define HAS_RECOVERY false
#else
#define HAS_RECOVERY ((intent && intentName == myName) || closed[myName])
#endif

/* S7: the permit is seen gone. Without: what is shown is terminated, and that is all. */
#ifdef WITHOUT_REVOCATION
#define REVOKES false
#else
#define REVOKES true
#endif
/* S7: a permit in use means that it did launch. Without: what has no instance in the journal has launched nothing. */
#ifdef WITHOUT_ADOPTION
#define LOOKS_BY_PERMIT false
#else
#define LOOKS_BY_PERMIT true
#endif

/* S31: the record stays until nothing is there, and whoever leads goes on with it. Without: it is written, and the leader that dropped it removes. */
#ifdef WITHOUT_SUCCESSOR
#define MAY_REMOVE(name) false
#define AFTER_DROP kind = REMOVING; goto remove
#else
#define MAY_REMOVE(name) (preparation[name] == DROPPED)
#define AFTER_DROP skip
#endif

/* S4: it was seen stopped at some moment since the intent; what somebody starts afterwards is told nothing (S9). */
#ifdef WITHOUT_FENCE
#define IS_FENCED true
#else
#define IS_FENCED fencedFor[myName]
#endif
/* S27, S31: the disks are put on, with the tags, once the fence is proven. Without: once the seed is stopped. */
#ifdef WITHOUT_FENCE_BEFORE_DISKS
#define BEFORE_FENCE true
#else
#define BEFORE_FENCE false
#endif

/* S7, S14, S20: a recovery is abandoned once its attempt is ended, also one it has taken over. */
#ifdef WITHOUT_ENDED_ATTEMPT
#define MAY_ABANDON (step < CLOSING)
#else
#define MAY_ABANDON (step < CLOSING && (phase[myName] == NONE || phase[myName] == ENDED))
#endif

/* S9. */
#define IS_ACTIVE(instance) (activation == instance && !(instance == OLD && intent))

/* ================================================================ EC2's side of a call */

inline stopServing(instance) {
    if
    :: serving[instance] -> serving[instance] = 0; servingCount--
    :: else
    fi
}

inline oldStopped() {
    state[OLD] = STOPPED; viewSaysActive = 0; stopServing(OLD);
    if
    :: intent -> fencedFor[intentName] = 1
    :: else
    fi
}

inline end(instance) {
    state[instance] = TERMINATED; permit[instance] = FREE; lateTerminate[instance] = 0; stopServing(instance)
}

#define OTHER(name, instance) INSTANCE(name, (instance == INSTANCE(name, 0)))
#define ON_RECORD(name) (preparation[name] != NONE || (intent && intentName == name))

/* RunInstances: a known token is answered with its instance, whatever became of the permit. */
#define MAY_LAUNCH(instance) (state[instance] == UNBORN && permit[instance] == FREE)
inline launch(name, instance) {
    permit[instance] = USED; state[instance] = RUNNING; lateLaunch[instance] = 0;
    launchedBeside = ALIVE(OTHER(name, instance)); CHECK_ALONE;
    launchedUnfenced = (!inQuarantine[name] && !fencedFor[name]); CHECK_FENCE;
    leaked = !ON_RECORD(name); CHECK_LEAK
}

inline delete(instance) { permit[instance] = DELETED; lateLaunch[instance] = 0 }

#define ADOPTED(name, instance) (activation == instance || (intent && intentName == name))
/* TerminateInstances of whoever removes what was dropped. */
inline remove_(name, instance) {
    endedAdopted = ADOPTED(name, instance); CHECK_ADOPTED; end(instance)
}

/* ================================================================ the environment */

/*
 * A seed is stopped and started at any time, also by somebody, also by a Stop of the preparation that lands late, and it may end by itself. What it is does
 * not matter to anybody before it is named by an activation.
 */
#define WORLD(name, instance) \
    :: atomic { !IN_CALM && lateLaunch[instance] && MAY_LAUNCH(instance) -> AT_LATE_LAUNCH(name); launch(name, instance) } \
    :: atomic { !IN_CALM && phase[name] >= REVOKE && permit[instance] == FREE -> delete(instance) } \
    :: atomic { !IN_CALM && lateTerminate[instance] && ALIVE(instance) -> remove_(name, instance) } \
    :: atomic { !IN_CALM && state[instance] == RUNNING -> end(instance) } \
    AGENT(instance)

#ifdef WITH_AGENTS
#define AGENT(instance) \
    :: atomic { state[instance] == RUNNING -> state[instance] = STOPPED; stopServing(instance) } \
    :: atomic { state[instance] == STOPPED -> state[instance] = RUNNING } \
    :: atomic { state[instance] == RUNNING && IS_ACTIVE(instance) && !serving[instance] -> \
        serving[instance] = 1; servingCount++; CHECK_SERVING } \
    :: atomic { serving[instance] && !IS_ACTIVE(instance) -> stopServing(instance) }
#else
#define AGENT(instance)
#endif

#define BOOTED(instance) (state[instance] == RUNNING || state[instance] == STOPPING)

proctype Environment() {
    do
#ifndef ONE_TERM
    :: atomic { !IN_CALM && holder != NOBODY -> holder = NOBODY }
#endif
    /* The member stops as asked, dies, and is started by somebody. */
    :: atomic { state[OLD] == STOPPING -> oldStopped() }
    :: atomic { !IN_CALM && state[OLD] == RUNNING -> oldStopped() }
    :: atomic { !IN_CALM && state[OLD] == STOPPED -> state[OLD] = RUNNING }
    WORLD(0, 1)
    WORLD(0, 2)
#if NAMES > 1
    WORLD(1, 3)
    WORLD(1, 4)
#endif
#ifdef WITH_AGENTS
    :: atomic { BOOTED(OLD) && IS_ACTIVE(OLD) && !viewSaysActive -> viewSaysActive = 1 }
    :: atomic { BOOTED(OLD) && viewSaysActive && !serving[OLD] -> serving[OLD] = 1; servingCount++; CHECK_SERVING }
    :: atomic { serving[OLD] && !IS_ACTIVE(OLD) -> stopServing(OLD) }
#endif
#ifdef PROPERTY_ALL_GONE
    :: atomic { !calm -> calm = 1 }
#endif
    od
}

/* ================================================================ a coordinator */

/* The view it decides on, from before its term or after: seen, and then anything may happen. */
#define LOOKED_AT (activation == OLD && ordinal < NAMES -> ordinal : NOBODY)
inline look() {
    seen = LOOKED_AT;
    if
    :: seen != NOBODY -> seenPreparation = preparation[seen]
    :: else -> seenPreparation = NONE
    fi
}
inline forgetRun() { kind = NONE; myName = 0; myRevision = 0; mine = NONE; plan = 0; seen = NOBODY; seenPreparation = NONE }
#define LEAVE forgetRun(); goto campaign
#define DIES :: atomic { !IN_CALM -> LEAVE }
#define REFUSED else -> LEAVE

#define GO_ON_WITH(name) \
    :: preparation[name] == OPEN && phase[name] < READY -> seen = NOBODY; seenPreparation = NONE; \
        kind = PREPARING; myName = name; plan = preparedPlan[name]; goto make \
    :: MAY_REMOVE(name) -> seen = NOBODY; seenPreparation = NONE; \
        kind = REMOVING; myName = name; plan = preparedPlan[name]; goto remove

/* The recovery is over; its journal goes with it. */
inline close() {
    closed[intentName] = 1; fencedFor[intentName] = 1; intent = 0; takenOver = 0; intentPlan = 0; step = NONE;
    phase[intentName] = NONE; launched[intentName] = NONE; frozenPlan[intentName] = 0; inQuarantine[intentName] = 0;
    intentName = 0
}

proctype Coordinator(byte me) {
    byte seen = NOBODY;
    byte seenPreparation;
    byte kind, myName, myRevision;      /* of this run */
    byte mine;                          /* what it launched */
    bit plan;

campaign:
#ifndef ONE_TERM
    atomic { holder == NOBODY && me <= everLed ->
        holder = me;
        if
        :: me == everLed -> everLed++
        :: else
        fi }
#endif

    /* Whatever there is to do, in any order. A leader has tasks beside each other: those are coordinators, and one may leave what it does at any line. */
resume:
    atomic {
        look();
        if
        :: intent ->
            seen = NOBODY; seenPreparation = NONE;
            kind = RECOVERING; myName = intentName; myRevision = intentRevision; plan = intentPlan; mine = launched[intentName];
            if
            :: step == FENCE -> goto fence
            :: step == MAKE && phase[myName] >= REVOKE -> goto endAttempt
            :: step == MAKE && phase[myName] < REVOKE -> goto make
            :: step == ASSEMBLE -> goto start
            :: step == ACTIVATE -> goto activate
            :: step == CLOSING -> goto closeStep
            fi
        GO_ON_WITH(0)
#if NAMES > 1
        GO_ON_WITH(1)
#endif
        :: seen != NOBODY && !intent && (!IN_CALM || seenPreparation != NONE) -> goto decide
#ifndef ONE_TERM
        :: !IN_CALM -> LEAVE
#endif
        fi
    }

    /*
     * By the view it has. With a preparation in it: dropped, or taken over, where a fresh plan is the same. With none: one is begun, or a recovery or an
     * undo, whose plan is called 0 where it is the first one that is frozen. The first call comes before the record only where a rule is missing.
     */
decide:
#ifdef WITHOUT_RECORD_FIRST
    if
    :: atomic { seen < PREPARED && seenPreparation == NONE && permit[INSTANCE(seen, 0)] == UNMADE && MY_TERM && !intent ->
        permit[INSTANCE(seen, 0)] = FREE; inQuarantine[seen] = 1; launch(seen, INSTANCE(seen, 0)) }
    :: skip
    fi;
#endif
    atomic {
        if
        :: seenPreparation == OPEN -> myName = seen; goto drop
        :: SEEN_PREPARED ->
            if
            :: plan = 0
            :: plan = 1
            fi;
            if
            :: !IS_SAME_LAUNCH -> myName = seen; goto drop
            :: IS_SAME_LAUNCH && MAY_BEGIN && MAY_TAKE -> preparation[seen] = NONE; takenOver = 1; intentPlan = plan
            :: REFUSED
            fi
        :: seenPreparation == NONE && seen < PREPARED ->
            if
            :: MAY_BEGIN && preparation[seen] == NONE && phase[seen] == NONE -> preparation[seen] = OPEN
            :: else
            fi;
            LEAVE
        :: seenPreparation == NONE ->
            if
            :: MAY_BEGIN && NO_PREPARATION -> intentPlan = 0
            :: MAY_BEGIN && NO_PREPARATION && phase[seen] != NONE -> intentPlan = 1
            :: !(MAY_BEGIN && NO_PREPARATION) -> LEAVE
            fi
        fi;
        intent = 1; intentName = seen; intentRevision++; step = FENCE;
        begunOnce = !begun[seen]; CHECK_INTENT;
        begun[seen] = 1;
        fencedFor[seen] = (state[OLD] == STOPPED);
        LEAVE
    }

drop:
    atomic {
        if
        :: MAY_DROP -> preparation[myName] = DROPPED; RAISE_DROPPED; AFTER_DROP
        :: else
        fi;
        LEAVE
    }

    /* ---------------------------------------------------------------- the attempt, for whomever it is */

make:
    atomic {
        mine = launched[myName];
        if
        :: phase[myName] == NONE && MAY_WRITE(NONE) ->
            phase[myName] = PERMIT; frozenPlan[myName] = plan; inQuarantine[myName] = (kind == PREPARING || takenOver)
        :: phase[myName] == PERMIT
        :: phase[myName] == LAUNCH -> goto launchStep
        :: phase[myName] == SEED -> goto seedStep
        :: phase[myName] == READY && kind == RECOVERING -> goto assemble
        :: else -> LEAVE
        fi
    }

permitStep:
    if
    :: atomic { permit[REQUESTED] == UNMADE -> permit[REQUESTED] = FREE }
    :: permit[REQUESTED] != UNMADE
    DIES
    fi;
    atomic {
        if
        :: MAY_WRITE(PERMIT) -> phase[myName] = LAUNCH; lateLaunch[REQUESTED] = 1
        :: REFUSED
        fi
    }

    /* The same request until something is known; or EC2 refuses it. A run that was paused sends it whenever it wakes up. */
launchStep:
    do
    :: atomic { MAY_LAUNCH(REQUESTED) -> launch(myName, REQUESTED) }
    :: atomic { state[REQUESTED] != UNBORN -> mine = REQUESTED; break }
    :: atomic { state[REQUESTED] == UNBORN -> goto failed }
    DIES
    od;
    atomic {
        if
        :: MAY_WRITE(LAUNCH) -> phase[myName] = SEED; launched[myName] = mine
        :: REFUSED
        fi
    }

seedStep:
    do
    :: atomic { state[mine] == RUNNING -> state[mine] = STOPPED; stopServing(mine) }
    :: state[mine] == STOPPED -> break
    :: state[mine] == TERMINATED -> goto failed
    DIES
    od;
    atomic {
        if
        :: MAY_WRITE(SEED) -> phase[myName] = READY
        :: REFUSED
        fi;
        if
        :: kind == RECOVERING -> skip
        :: else -> LEAVE
        fi
    }

    /* ---------------------------------------------------------------- a recovery */

    /* Disks and tags: from here on it is the member's. */
assemble:
    if
    :: atomic { leftQuarantine = !fencedFor[myName]; CHECK_QUARANTINE }
    :: goto endAttempt
    DIES
    fi;
    atomic {
        if
        :: MAY_WRITE(READY) && step == MAKE -> step = ASSEMBLE
        :: REFUSED
        fi
    }

start:
    if
    :: atomic { state[mine] == STOPPED -> state[mine] = RUNNING }
    :: state[mine] == RUNNING
    :: goto endAttempt
    DIES
    fi;
    atomic {
        if
        :: MAY_STEP(ASSEMBLE) && phase[myName] == READY -> step = ACTIVATE
        :: REFUSED
        fi
    }

activate:
    if
    :: skip
    :: goto endAttempt
    DIES
    fi;
    atomic {
        if
        :: MAY_STEP(ACTIVATE) && phase[myName] == READY && activation == OLD && ordinal == myName ->
            activation = mine; step = CLOSING;
            activatedForeign = (mine != INSTANCE(intentName, intentPlan)); CHECK_OWN_LAUNCH;
            activatedByClosed = (closed[myName] || preparation[myName] == DROPPED); CHECK_ACTIVATED_BY_OPEN
        :: REFUSED
        fi
    }

closeStep:
    atomic {
        if
        :: MAY_STEP(CLOSING) -> AT_CLOSED; close(); LEAVE
        :: REFUSED
        fi
    }

fence:
    do
    :: atomic { state[OLD] == RUNNING -> state[OLD] = STOPPING }
    :: IS_FENCED -> break
    :: atomic { BEFORE_FENCE && phase[myName] == READY -> goto assemble }
    :: goto endAttempt
    DIES
    od;
    atomic {
        if
        :: MAY_STEP(FENCE) -> step = MAKE;
            if
            :: phase[myName] < REVOKE -> goto make
            :: else -> goto endAttempt
            fi
        :: REFUSED
        fi
    }

    /* ---------------------------------------------------------------- the end of an attempt */

failed:
    atomic {
        if
        :: kind == PREPARING -> seen = LOOKED_AT; goto drop
        :: else -> goto endAttempt
        fi
    }

    /* S31: looked once more, right before anything is ended. */
remove:
    atomic {
        if
        :: HAS_RECOVERY -> LEAVE
        :: else
        fi
    }

endAttempt:
    atomic {
        if
        :: phase[myName] == NONE || phase[myName] == ENDED -> goto ended
        :: phase[myName] == REVOKE -> skip
        :: phase[myName] != NONE && phase[myName] < REVOKE && MAY_WRITE(phase[myName]) && !(kind == RECOVERING && step == CLOSING) ->
            phase[myName] = REVOKE
        :: REFUSED
        fi
    }

revoke:
    atomic { mine = launched[myName] }
    if
    :: mine != NONE ->
        do
        :: atomic { ALIVE(mine) && kind == REMOVING -> lateTerminate[mine] = 1; remove_(myName, mine) }
        :: atomic { ALIVE(mine) && kind == RECOVERING -> end(mine) }
        :: state[mine] == TERMINATED -> break
        DIES
        od
    :: else
    fi;
    if
    :: REVOKES ->
        do
        :: atomic { permit[REQUESTED] == FREE -> delete(REQUESTED) }
        :: permit[REQUESTED] == DELETED || permit[REQUESTED] == UNMADE -> break
        :: atomic { permit[REQUESTED] == USED && mine == NONE && LOOKS_BY_PERMIT -> mine = REQUESTED; goto adopt }
        :: permit[REQUESTED] == USED && mine == NONE && !LOOKS_BY_PERMIT -> break
        DIES
        od
    :: else
    fi;
    atomic {
        if
        :: MAY_WRITE(REVOKE) -> phase[myName] = ENDED; goto ended
        :: REFUSED
        fi
    }

adopt:
    atomic {
        if
        :: MAY_WRITE(REVOKE) -> launched[myName] = mine; goto revoke
        :: REFUSED
        fi
    }

ended:
    if
    :: kind == RECOVERING -> goto abandon
    :: else
    fi;

    /* What carries the name, whoever launched it; a look may miss it. Then its record goes, with the journal. */
#ifndef WITHOUT_ADOPTION
    do
    :: atomic { ALIVE(INSTANCE(myName, 0)) ->
        lateTerminate[INSTANCE(myName, 0)] = 1; remove_(myName, INSTANCE(myName, 0)) }
    :: atomic { ALIVE(INSTANCE(myName, 1)) ->
        lateTerminate[INSTANCE(myName, 1)] = 1; remove_(myName, INSTANCE(myName, 1)) }
    :: break
    DIES
    od;
#endif
    atomic {
        if
        :: MY_TERM && preparation[myName] == DROPPED && (phase[myName] == NONE || phase[myName] == ENDED) ->
            leaked = (ALIVE(INSTANCE(myName, 0)) || ALIVE(INSTANCE(myName, 1))); CHECK_LEAK;
            AT_GONE;
            preparation[myName] = NONE; phase[myName] = NONE; launched[myName] = NONE; frozenPlan[myName] = 0; inQuarantine[myName] = 0
        :: else
        fi;
        LEAVE
    }

    /* S20: the next recovery has another name. */
abandon:
    atomic {
        if
        :: MY_TERM && MY_INTENT && MAY_ABANDON && activation == OLD && ordinal == myName ->
            leaked = (ALIVE(INSTANCE(myName, 0)) || ALIVE(INSTANCE(myName, 1))); CHECK_LEAK;
            close(); ordinal++; LEAVE
        :: REFUSED
        fi
    }
}

init {
    atomic {
        state[OLD] = RUNNING;
#ifdef WITH_AGENTS
        serving[OLD] = 1; servingCount = 1; viewSaysActive = 1;
#endif
        run Environment();
        run Coordinator(0);
#if COORDINATORS > 1
        run Coordinator(1);
#endif
    }
#ifdef PROPERTY_ALL_GONE
    timeout;
    leftBehind = (preparation[0] != NONE || preparation[1] != NONE || intent || (ALIVE(1) && activation != 1) || (ALIVE(2) && activation != 2) ||
        (ALIVE(3) && activation != 3) || (ALIVE(4) && activation != 4));    /* with two names */
    assert(!leftBehind)
#endif
}
