/*
 * One instance that is recovered more than once: a recovery of it is abandoned, or mends it in place, so it stays the activated one; it is recovered
 * again; at last it is replaced. What tells these recoveries apart is the ordinal in the activation record.
 *
 * What is modelled, what is left out and why that is sound: README.md. Rules have the numbers of docs/SPEC.md; each is removed by one
 * WITHOUT_... switch. test/model/configurations.ts lists the runs. How to read it: as recovery.pml, of which this is the outline: one attempt in one zone per
 * recovery (what attempts and zones add is searched there), several recoveries.
 */

/* Recoveries of this instance there may be, one after another. The last one replaces it, or stays open. */
#ifndef RECOVERIES
#define RECOVERIES 3
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

/*
 * The activation names one instance, and how many recoveries of it have ended without replacing it. Nothing else writes this record, and every write of it
 * changes one of the two, so "its mod-revision is the one I know" is the same as "both are what I know".
 */
#define OLD 0
byte activation = OLD;
byte ordinal;

/*
 * The intent: is it there, which ordinal it froze, and how many there have been: its mod-revision. A recovery in place (S28) says so in its frozen plan: it
 * launches nothing, and its instance stays the one that may serve.
 */
bit intent;
bit inPlace;
byte intentOrdinal;
byte intentRevision;

/* The journal of the recovery with that name: how far it is, and what it launched. */
#define FENCE 1
#define PERMIT 2
#define LAUNCH 3
#define VERIFY 4
#define REVOKE 5
#define ACTIVATE 6
#define CLOSING 7
#define EXHAUSTED 8
byte phase = NONE;
byte launched = NONE;

/* ================================================================ EC2 */

/* Instance 0 is the one that fails again and again; n + 1 is what the token of name n launches: one, because a token that is known launches no more. */
#define UNBORN 0
#define RUNNING 1
#define STOPPING 2
#define STOPPED 3
#define TERMINATED 4
byte state[RECOVERIES + 1];

/* The permit of each name. It is in use as long as the instance launched with it has not ended. */
#define UNMADE 0
#define FREE 1
#define DELETED 2
#define USED 3
byte permit[RECOVERIES];

/*
 * Calls that were given up and may still land, at any time, in any order, any number of times. Whatever may have been sent counts as given up once, from the
 * moment it may be sent: whether it was only adds behaviours. Stops may be late from the first intent on.
 */
bit lateLaunch[RECOVERIES];
bit lateDelete[RECOVERIES];

/* S6: tokens, tags and names are functions of old instance and ordinal. Without: of the old instance alone, so all its recoveries have the same. */
#ifdef WITHOUT_ORDINAL_IN_TOKEN
#define NAME(ordinal_) 0
#else
#define NAME(ordinal_) (ordinal_)
#endif

/* ================================================================ agents */

#ifdef PROPERTY_SERVING
#define WITH_AGENTS
#endif
bit serving[RECOVERIES + 1];
/* As in recovery.pml: a view proven since this boot of the old instance said "active", and may be answered from until the boot ends. */
bit viewSaysActive;

/* ================================================================ properties */

/* S6, S7, S14, S20 (I1): launches that nobody has seen ended, over all recoveries. */
byte launchesNotEnded;
bit ended[RECOVERIES + 1];
/* S7, S20: a recovery launched although it was closed. */
bool launchedAfterClose;
/* S8, S9 (I2). */
byte servingCount;
/* S4 (I3): the old instance was stopped at some moment since the present intent; the recovery under it launched although it was not. */
bool stoppedSinceIntent;
bool launchedUnfenced;
/* S5: intents per ordinal. */
byte begun[RECOVERIES];
bool begunOnce = true;
/* S8: activated by a recovery that is not open. */
bool activatedByClosed;
/* S6: activated what another recovery launched, from snapshots of then. Holds the intent's revision at the launch. */
byte launchedUnder[RECOVERIES + 1];
bool activatedForeign;

#ifdef PROPERTY_LAUNCH
#define CHECK_LAUNCH assert(launchesNotEnded <= 1)
#else
#define CHECK_LAUNCH skip
#endif
#ifdef PROPERTY_NO_LATE_LAUNCH
#define CHECK_LATE_LAUNCH assert(!launchedAfterClose)
#else
#define CHECK_LATE_LAUNCH skip
#endif
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

/* Reachability, as in recovery.pml. */
#ifdef REACH_REPLACED_AFTER_ABANDONED
bool abandonedBeforeLaunch, abandonedAfterLaunch, reachedReplacedAfterAbandoned;
#define AT_ABANDONED if :: state[intentOrdinal + 1] == UNBORN -> abandonedBeforeLaunch = true :: else -> abandonedAfterLaunch = true fi
#define AT_REPLACED reachedReplacedAfterAbandoned = (abandonedBeforeLaunch && abandonedAfterLaunch); assert(!reachedReplacedAfterAbandoned)
#endif
#ifdef REACH_REPLACED_AFTER_MENDED
byte mended;
bool reachedReplacedAfterMended;
#define AT_MENDED mended++
#define AT_REPLACED reachedReplacedAfterMended = (mended == 2); assert(!reachedReplacedAfterMended)
#endif
#ifdef REACH_STALE_VIEW
bool reachedStaleView;
#define AT_STALE_VIEW reachedStaleView = true; assert(!reachedStaleView)
#endif
#ifdef REACH_OLD_LEADER
bool reachedOldLeader;
#define AT_OLD_LEADER reachedOldLeader = (myRevision < intentRevision && ordinal > myOrdinal); assert(!reachedOldLeader)
#endif
#ifndef AT_ABANDONED
#define AT_ABANDONED skip
#endif
#ifndef AT_MENDED
#define AT_MENDED skip
#endif
#ifndef AT_REPLACED
#define AT_REPLACED skip
#endif
#ifndef AT_STALE_VIEW
#define AT_STALE_VIEW skip
#endif
#ifndef AT_OLD_LEADER
#define AT_OLD_LEADER skip
#endif

/* ================================================================ the rules that a switch removes */

/*
 * S2: a write compares the term. ONE_TERM is what stands behind it: two runs of one process in one term that does not end (a run that unwinds while the
 * recovery is closed beside it), so the term tells nothing.
 */
#ifdef ONE_TERM
#define MY_TERM true
#else
#define MY_TERM (holder == me)
#endif

/* S5: a write compares the intent, and the record of its own step. */
#define MY_INTENT (intent && intentRevision == myRevision)
#define MAY_WRITE(phase_) (MY_TERM && MY_INTENT && phase == phase_)

/* Without the intent's compare the write of a run whose recovery is closed goes to a journal that nobody reads, and the run goes on. */
#ifdef WITHOUT_INTENT_COMPARE
#define STRAYS (MY_TERM && !MY_INTENT)
#else
#define STRAYS false
#endif

/* S5: the intent's transaction compares the activation the plan is based on, and with it the ordinal. Without: whatever the view said, however old it is. */
#ifdef WITHOUT_ORDINAL_COMPARE
#define MAY_BEGIN (MY_TERM && !intent)
#else
#define MAY_BEGIN (MY_TERM && !intent && activation == OLD && ordinal == seen)
#endif

/* S8: activate compares the activation frozen in the intent. ACTIVATE_UNGUARDED: nothing but that, so that it is seen what it is worth alone. */
#define FROZEN_ACTIVATION (activation == OLD && ordinal == myOrdinal)
#ifdef ACTIVATE_UNGUARDED
#define MAY_ACTIVATE FROZEN_ACTIVATION
#else
#define MAY_ACTIVATE (MAY_WRITE(ACTIVATE) && FROZEN_ACTIVATION)
#endif

/* S20: the transaction that closes a recovery without a replacement raises the ordinal. */
#ifdef WITHOUT_RAISE
#define RAISE skip
#else
#define RAISE ordinal++
#endif

/* S20: only while nothing is activated, and after the open attempt is ended (S7, S14). LEAVE_OPEN: an operator's `--leave-open`, which does not end it. */
#ifdef LEAVE_OPEN
#define MAY_CLOSE_KEPT (phase != CLOSING)
#else
#define MAY_CLOSE_KEPT (phase == FENCE || phase == PERMIT || phase == EXHAUSTED)
#endif

/* How a recovery may end without replacing the instance; both, where nothing is said. */
#ifdef ONLY_MENDED
#define MAY_ABANDON false
#else
#define MAY_ABANDON (myOrdinal < RECOVERIES - 1)
#endif
#ifdef ONLY_ABANDONED
#define MAY_MEND false
#else
#define MAY_MEND (seen < RECOVERIES - 1)
#endif

/* S4: a fence is proven by the recovery that needs it. Without: what any recovery has seen counts. */
#ifdef WITHOUT_OWN_FENCE
bool everStopped;
#define NOTE_STOPPED everStopped = true
#define SEEN_STOPPED everStopped
#else
#define NOTE_STOPPED skip
#define SEEN_STOPPED stoppedSinceIntent
#endif

/* S9, S28. Without: every open recovery counts as one in place, so that the old instance is told to serve until another one is activated. */
#ifdef WITHOUT_FROZEN_STRATEGY
#define ON_ITS_WAY_OUT false
#else
#define ON_ITS_WAY_OUT (intent && !inPlace)
#endif
#define IS_ACTIVE(instance) (activation == instance && !(instance == OLD && ON_ITS_WAY_OUT))

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

inline down(instance, state_) {
    state[instance] = state_;
    stopServing(instance);
    if
    :: instance == OLD -> viewSaysActive = 0
    :: else
    fi
}

inline terminate(name) {
    if
    :: state[name + 1] == RUNNING -> down(name + 1, TERMINATED); permit[name] = FREE
    :: else
    fi
}

inline seenEnded(name) {
    if
    :: state[name + 1] != UNBORN && !ended[name + 1] -> ended[name + 1] = 1; launchesNotEnded--
    :: else
    fi
}

#define OPEN_NOW(name) (intent && NAME(intentOrdinal) == name)

/* RunInstances: a known token is answered with its instance, whatever became of the permit. Nothing is promised: capacity may be refused. */
inline launchAnew(name) {
    if
    :: state[name + 1] == UNBORN && permit[name] == FREE ->
        permit[name] = USED;
        state[name + 1] = RUNNING;
        launchesNotEnded++;
        launchedUnder[name + 1] = intentRevision;
        launchedAfterClose = !OPEN_NOW(name);
        launchedUnfenced = (OPEN_NOW(name) && !stoppedSinceIntent);
        CHECK_LAUNCH;
        CHECK_LATE_LAUNCH;
        CHECK_FENCE
    :: else
    fi
}

/* ================================================================ the environment */

#define LATE_CALLS_OF(name) \
    :: atomic { lateLaunch[name] && state[name + 1] == UNBORN && permit[name] == FREE -> launchAnew(name) } \
    :: atomic { lateDelete[name] && permit[name] == FREE -> permit[name] = DELETED } \
    :: atomic { state[name + 1] == RUNNING -> terminate(name) }

#define BOOTED(instance) (state[instance] == RUNNING || state[instance] == STOPPING)
#define ANSWERS_TO_REPLACEMENT(instance) \
    :: atomic { BOOTED(instance) && IS_ACTIVE(instance) && !serving[instance] -> startServing(instance) } \
    :: atomic { serving[instance] && !IS_ACTIVE(instance) -> stopServing(instance) }

#ifdef HAND_DELETES
bit deletedByHand;
#endif

proctype Environment() {
    do
#ifndef ONE_TERM
    :: atomic { holder != NOBODY -> holder = NOBODY }
#endif

    /*
     * The old instance stops as asked, and is started: by somebody, or by a recovery in place. Its calls may land at any later time, in any number: a start
     * after the fence of a later recovery, a stop or a reboot of the instance that serves again.
     */
    :: atomic { state[OLD] == STOPPING -> down(OLD, STOPPED); stoppedSinceIntent = intent; NOTE_STOPPED }
    :: atomic { state[OLD] == STOPPED -> state[OLD] = RUNNING }
    :: atomic { intentRevision > 0 && state[OLD] == RUNNING -> state[OLD] = STOPPING }
    :: atomic { intentRevision > 0 && state[OLD] == RUNNING && (serving[OLD] || viewSaysActive) -> down(OLD, RUNNING) }

    LATE_CALLS_OF(0)
    LATE_CALLS_OF(1)
#if RECOVERIES > 2
    LATE_CALLS_OF(2)
#endif

#ifdef HAND_DELETES
    /* Somebody deletes the intent with etcdctl, and leaves its journal. */
    :: atomic { intent && activation == OLD && !deletedByHand -> intent = 0; inPlace = 0; stoppedSinceIntent = false; deletedByHand = 1 }
#endif

#ifdef WITH_AGENTS
    :: atomic { BOOTED(OLD) && IS_ACTIVE(OLD) && !viewSaysActive -> viewSaysActive = 1 }
    :: atomic { BOOTED(OLD) && viewSaysActive && !serving[OLD] -> startServing(OLD) }
    :: atomic { serving[OLD] && !IS_ACTIVE(OLD) -> stopServing(OLD) }
    ANSWERS_TO_REPLACEMENT(1)
    ANSWERS_TO_REPLACEMENT(2)
#if RECOVERIES > 2
    ANSWERS_TO_REPLACEMENT(3)
#endif
#endif
    od
}

/* ================================================================ a coordinator */

inline forgetRun() {
    myRevision = 0; myOrdinal = 0; mine = NONE
}

/* Intent and journal go in one transaction. */
inline closed() {
    intent = 0; inPlace = 0; phase = NONE; launched = NONE; stoppedSinceIntent = false
}

/* The view of etcd this process has: what it decides on. It may be of any age, also older than its term; a process that starts anew reads it first. */
#define LOOKED_AT (activation == OLD -> ordinal : NOBODY)
#define DIES :: atomic { forgetRun(); seen = LOOKED_AT; goto campaign }

#define REFUSED else -> AT_OLD_LEADER; forgetRun(); goto campaign

proctype Coordinator(byte me) {
    byte seen;                      /* the ordinal, as the view shows it; NOBODY: another instance is activated */
    byte myRevision, myOrdinal;     /* of the intent of this run */
    byte mine;                      /* what it launched */

campaign:
    do
    :: atomic { seen != LOOKED_AT -> seen = LOOKED_AT }
#ifdef ONE_TERM
    :: break
#else
    :: atomic { holder == NOBODY && me <= everLed ->
        holder = me;
        if
        :: me == everLed -> everLed++
        :: else
        fi;
        break }
#endif
    od;

    /* Goes on where the journal ends, or does what an operator has asked for (ways-out/carry-out.ts). */
resume:
    atomic {
        if
        :: !intent -> goto decide
        :: else
        fi;
        myRevision = intentRevision; myOrdinal = intentOrdinal; mine = launched;
        if
        :: MAY_ABANDON && MAY_CLOSE_KEPT -> goto abandon
        :: inPlace -> goto mend
        :: !inPlace && (phase == LAUNCH || phase == VERIFY || phase == ACTIVATE) -> goto endAttempt
        :: !inPlace && (phase == FENCE) -> goto fence
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
    if
    DIES
    :: goto campaign
    fi;

    /* A journal without an intent, or the mark on the instance, tells of a recovery whose records somebody removed: the ordinal is raised first (raise-ordinal.ts). */
decide:
    atomic {
        if
        :: seen == NOBODY || seen != LOOKED_AT -> AT_STALE_VIEW
        :: else
        fi;
        if
        :: seen == NOBODY -> goto idle
#ifndef WITHOUT_RAISE_ON_TRACE
        :: seen != NOBODY && MAY_BEGIN && phase != NONE && ordinal < RECOVERIES - 1 -> phase = NONE; launched = NONE; ordinal++; goto idle
        :: seen != NOBODY && MAY_BEGIN && phase != NONE && ordinal == RECOVERIES - 1 -> goto idle
        :: seen != NOBODY && MAY_BEGIN && phase == NONE ->
#else
        :: seen != NOBODY && MAY_BEGIN ->
#endif
            if
            :: MAY_MEND -> inPlace = 1
            :: inPlace = 0
            fi;
            intent = 1; intentOrdinal = seen; intentRevision++;
            begunOnce = (begun[seen] == 0); begun[seen] = 1; CHECK_INTENT;
            stoppedSinceIntent = (state[OLD] == STOPPED);
            if
            :: phase == NONE -> phase = FENCE
            :: else
            fi;
            goto resume
        :: seen != NOBODY && !(MAY_BEGIN) -> goto idle
        fi
    }

    /*
     * In place: stopped, seen stopped, and started, or rebooted. Its start is the environment's: whoever sends it, and whenever it lands. It is closed as
     * mended or, at any time, as not mended: the same transaction, and the instance in whatever state.
     */
mend:
    do
    :: atomic { state[OLD] == RUNNING -> state[OLD] = STOPPING }
    :: atomic { state[OLD] == RUNNING -> down(OLD, RUNNING); break }
    :: atomic { stoppedSinceIntent && state[OLD] == RUNNING -> break }
    :: goto notMended
    DIES
    od;
    atomic {
        if
        :: MAY_WRITE(FENCE) && FROZEN_ACTIVATION -> AT_MENDED; closed(); RAISE; forgetRun(); goto campaign
        :: REFUSED
        fi
    }

notMended:
    atomic {
        if
        :: MAY_WRITE(FENCE) && FROZEN_ACTIVATION -> closed(); RAISE; forgetRun(); goto campaign
        :: REFUSED
        fi
    }

fence:
    do
    :: atomic { state[OLD] == RUNNING -> state[OLD] = STOPPING }
    :: SEEN_STOPPED -> break
    DIES
    od;
    atomic {
        if
        :: MAY_WRITE(FENCE) -> phase = PERMIT
        :: STRAYS
        :: REFUSED
        fi
    }

permitStep:
    if
    :: atomic { permit[NAME(myOrdinal)] == UNMADE -> permit[NAME(myOrdinal)] = FREE }
    :: permit[NAME(myOrdinal)] != UNMADE
    DIES
    fi;
    atomic {
        if
        :: MAY_WRITE(PERMIT) -> phase = LAUNCH; lateLaunch[NAME(myOrdinal)] = 1
        :: STRAYS
        :: REFUSED
        fi
    }

    /* The same request again and again, until something is known; or it is given up. A run that was paused sends it whenever it wakes up. */
launchStep:
    do
    :: atomic { state[NAME(myOrdinal) + 1] == UNBORN && permit[NAME(myOrdinal)] == FREE -> launchAnew(NAME(myOrdinal)) }
    :: atomic { state[NAME(myOrdinal) + 1] == RUNNING -> mine = NAME(myOrdinal) + 1; break }
    :: goto endAttempt
    DIES
    od;
    atomic {
        if
        :: MAY_WRITE(LAUNCH) -> phase = VERIFY; launched = mine
        :: STRAYS
        :: REFUSED
        fi
    }

verifyStep:
    if
    :: goto verified
    :: goto endAttempt
    DIES
    fi;

    /* Of itself, or because an operator has asked for the end of the recovery (ways-out/end-attempt.ts). */
endAttempt:
    atomic {
        if
        :: MAY_WRITE(LAUNCH) || MAY_WRITE(VERIFY) || MAY_WRITE(ACTIVATE) -> phase = REVOKE; lateDelete[NAME(myOrdinal)] = 1
        :: REFUSED
        fi
    }

    /* S14, S7; what was launched after all is seen in the permit, adopted, and ended in its turn. */
revokeStep:
    if
    :: mine != NONE ->
        do
        :: atomic { state[mine] == RUNNING -> terminate(mine - 1) }
        :: atomic { state[mine] == TERMINATED -> seenEnded(mine - 1); break }
        DIES
        od
    :: else
    fi;
    do
    :: atomic { permit[NAME(myOrdinal)] == FREE || permit[NAME(myOrdinal)] == DELETED ->
        permit[NAME(myOrdinal)] = DELETED; seenEnded(NAME(myOrdinal)); break }
    :: atomic { permit[NAME(myOrdinal)] == USED && mine == NONE -> mine = NAME(myOrdinal) + 1; goto adopt }
    DIES
    od;
    atomic {
        if
        :: MAY_WRITE(REVOKE) -> phase = EXHAUSTED; launched = NONE; forgetRun(); goto idle
        :: REFUSED
        fi
    }

adopt:
    atomic {
        if
        :: MAY_WRITE(REVOKE) -> phase = VERIFY; launched = mine; goto verifyStep
        :: REFUSED
        fi
    }

verified:
    atomic {
        if
        :: MAY_WRITE(VERIFY) -> phase = ACTIVATE
        :: STRAYS
        :: REFUSED
        fi
    }

activateStep:
    atomic {
        if
        :: MAY_ACTIVATE ->
            activation = mine;
            activatedByClosed = !MY_INTENT; CHECK_ACTIVATED_BY_OPEN;
            activatedForeign = (launchedUnder[mine] != myRevision); CHECK_OWN_LAUNCH;
            if
            :: MY_INTENT && phase == ACTIVATE -> phase = CLOSING
            :: else
            fi
        :: REFUSED
        fi
    }

closeStep:
    atomic {
        if
        :: MAY_WRITE(CLOSING) -> AT_REPLACED; closed(); forgetRun(); goto campaign
        :: REFUSED
        fi
    }

    /* S20: the activation goes on naming the old instance. One transaction. */
abandon:
    atomic {
        if
        :: MY_TERM && MY_INTENT && MAY_CLOSE_KEPT && FROZEN_ACTIVATION ->
            AT_ABANDONED; closed(); RAISE; forgetRun(); goto campaign
        :: REFUSED
        fi
    }
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
#if COORDINATORS > 1
        run Coordinator(1);
#endif
    }
}
