/*
 * A recovery that is put back (S30). Recovery 0 has replaced instance 0 by instance 1; an undo fences 1, starts 0, and activates it. It may be called off,
 * it may be undone in its turn, and instance 1 may be replaced by instance 2 while somebody still decides on what was so before. Stops, starts and the
 * Detach of an earlier recovery land late; the collector ends retired instances.
 *
 * What is modelled, what is left out and why that is sound: README.md. Rules have the numbers of docs/SPEC.md; each is removed by one WITHOUT_... switch.
 * test/model/undos.ts lists the runs. How to read it: as ordinals.pml, of which this has the outline.
 */

/* Recoveries after recovery 0, of any kind, one after another. The last one may stay open. */
#ifndef RECOVERIES
#define RECOVERIES 2
#endif
#ifndef COORDINATORS
#define COORDINATORS 2
#endif
#define NOBODY 255
#define NONE 3

/* ================================================================ etcd */

/* Whose leader key it is, as in recovery.pml. */
byte holder = NOBODY;
byte everLed;

/*
 * The activation, with all it ever was: a view of any age is a revision. Beside what the record says (instance, ordinal), what the history says of it: which
 * instance was retired when this one was put in charge, and by which ordinal of its own.
 */
byte revision;
byte activated[RECOVERIES + 1];
byte ordinal[RECOVERIES + 1];
byte retired[RECOVERIES + 1];
byte retiredOrdinal[RECOVERIES + 1];

/* The intent, with the revision it rests on; how many there have been is its own revision. An undo says so in its frozen plan. */
bit intent;
bit isUndo;
byte base;
byte intentRevision;

/* The journal: how far it is. */
#define FENCE 1
#define BRINGBACK 2
#define ACTIVATE 3
#define CLOSING 4
#define STANDDOWN 5
#define RESTART 6
byte phase;

/* The books: instances that the collector ends once they are due. Due is what is so from 15 minutes before on; a call that ends it may land ever after. */
bit collectable[3];
bit due[3];

/* ================================================================ EC2 */

#define ABSENT 0
#define RUNNING 1
#define STOPPING 2
#define STOPPED 3
#define TERMINATED 4
byte state[3];

/* An earlier recovery of instance 0 gave its disk back, and a DetachVolume of it had no answer: it may land for 15 minutes (A5). */
#ifdef PROPERTY_SERVING_KEEPS_DISK
bit lateDetach = 1;
#else
bit lateDetach;
#endif
bit diskOff;

/* ================================================================ agents */

bit serving[3];
byte servingCount;
/* As in ordinals.pml: a view proven since this boot said "active", and may be answered from until the boot ends. */
bit viewSaysActive[3];

/* ================================================================ properties */

/* S4: the present instance was seen unable to act since the intent; the retired one was started although it was not. */
bool stoppedSinceIntent;
bool broughtBackUnfenced;
/* S5, S8: intents of a name, which is instance and ordinal. */
bit begun[3 * (RECOVERIES + 2)];
bool begunOnce = true;
bool activatedByClosed;
bool tornFromServing;
bool collectedActivated;

#ifdef PROPERTY_SERVING
#define CHECK_SERVING assert(servingCount <= 1)
#else
#define CHECK_SERVING skip
#endif
#ifdef PROPERTY_BROUGHT_BACK_FENCED
#define CHECK_FENCE assert(!broughtBackUnfenced)
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
#ifdef PROPERTY_SERVING_KEEPS_DISK
#define CHECK_TORN assert(!tornFromServing)
#else
#define CHECK_TORN skip
#endif
#ifdef PROPERTY_ACTIVATED_STAYS
#define CHECK_COLLECTED assert(!collectedActivated)
#else
#define CHECK_COLLECTED skip
#endif

/* Reachability, as in recovery.pml. */
#ifdef REACH_UNDONE_TWICE
byte undone;
bool reachedUndoneTwice;
#define AT_UNDONE undone++; reachedUndoneTwice = (undone == 2); assert(!reachedUndoneTwice)
#else
#define AT_UNDONE skip
#endif
#ifdef REACH_UNDONE_AFTER_CALLED_OFF
bool reachedUndoneAfterCalledOff;
#define AT_ACTIVATED reachedUndoneAfterCalledOff = (ordinal[base] > 0); assert(!reachedUndoneAfterCalledOff)
#else
#define AT_ACTIVATED skip
#endif
#ifdef REACH_IDLE_CLAIMANT
bool reachedIdleClaimant;
#define AT_STARTED(instance) reachedIdleClaimant = (instance == 0 && !intent && revision > 0 && serving[activated[revision]] && \
    activated[revision] == 1); assert(!reachedIdleClaimant)
#else
#define AT_STARTED(instance) skip
#endif

/* ================================================================ the rules that a switch removes */

/* S2. */
#define MY_TERM (holder == me)
#define MY_INTENT (intent && intentRevision == myRevision)
#define MAY_WRITE(phase_) (MY_TERM && MY_INTENT && phase == phase_)

/* S5: the intent's transaction compares the activation it rests on. Without: whatever the view said, however old it is. */
#ifdef WITHOUT_BASIS_COMPARE
#define MAY_BEGIN (MY_TERM && !intent)
#else
#define MAY_BEGIN (MY_TERM && !intent && seen == revision)
#endif

/* S4. Without: a Stop that was answered is taken for one that has taken effect. */
#define IS_DOWN(instance) (state[instance] == STOPPED || state[instance] == TERMINATED)
#ifdef WITHOUT_OBSERVED_FENCE
#define IS_FENCED(instance) (state[instance] != RUNNING)
#else
#define IS_FENCED(instance) IS_DOWN(instance)
#endif

/* S8: activate compares the activation the intent rests on. ACTIVATE_UNGUARDED: nothing but that, so that it is seen what it is worth alone. */
#ifdef WITHOUT_ACTIVATION_COMPARE
#define FROZEN_ACTIVATION true
#else
#define FROZEN_ACTIVATION (revision == myBase)
#endif
#ifdef ACTIVATE_UNGUARDED
#define MAY_ACTIVATE FROZEN_ACTIVATION
#else
#define MAY_ACTIVATE (MAY_WRITE(ACTIVATE) && FROZEN_ACTIVATION)
#endif

/* S8, S30: the instance that serves again had recoveries before. Without: it is activated as a new one is. */
#ifdef WITHOUT_RAISED_ORDINAL
#define ORDINAL_AGAIN 0
#else
#define ORDINAL_AGAIN (retiredOrdinal[myBase] + 1)
#endif

/* S20, S30: what ends an undo that was called off raises the ordinal of the instance in charge. */
#ifdef WITHOUT_RAISE
#define RAISE skip
#else
#define RAISE name(activated[revision], ordinal[revision] + 1, retired[revision], retiredOrdinal[revision])
#endif

/* S27, S30: no call of ours can land on the retired instance any more. */
#ifdef WITHOUT_CALM
#define IS_CALM(instance) true
#else
#define IS_CALM(instance) (instance != 0 || (!lateDetach && !diskOff))
#endif

/* S30: not in the last 15 minutes before it is collected; and from the intent on nobody collects it. */
#ifdef WITHOUT_TIME_LEFT
#define HAS_TIME(instance) true
#else
#define HAS_TIME(instance) (!due[instance])
#endif
#ifdef WITHOUT_BOOKS
#define TAKE_OFF_THE_BOOKS(instance) skip
#else
#define TAKE_OFF_THE_BOOKS(instance) collectable[instance] = 0
#endif

/* S9: from the intent on the instance in charge is on its way out. */
#ifdef WITHOUT_FROZEN_STRATEGY
#define ON_ITS_WAY_OUT(instance) (intent && !isUndo && activated[base] == instance)
#else
#define ON_ITS_WAY_OUT(instance) (intent && activated[base] == instance)
#endif
#define IS_ACTIVE(instance) (activated[revision] == instance && !ON_ITS_WAY_OUT(instance))

/* A new revision of the activation. */
inline name(instance, ordinal_, retired_, retiredOrdinal_) {
    activated[revision + 1] = instance; ordinal[revision + 1] = ordinal_;
    retired[revision + 1] = retired_; retiredOrdinal[revision + 1] = retiredOrdinal_;
    revision++
}

/* ================================================================ EC2's side of a call */

inline down(instance, state_) {
    state[instance] = state_; viewSaysActive[instance] = 0;
    if
    :: serving[instance] -> serving[instance] = 0; servingCount--
    :: else
    fi;
    if
    :: intent && instance == activated[base] && IS_DOWN(instance) -> stoppedSinceIntent = true
    :: else
    fi
}

inline start(instance) {
    if
    :: state[instance] == STOPPED -> state[instance] = RUNNING; AT_STARTED(instance)
    :: else
    fi
}

/* ================================================================ the environment */

#define BOOTED(instance) (state[instance] == RUNNING || state[instance] == STOPPING)

#ifdef PROPERTY_ACTIVATED_STAYS
#define COLLECTOR(instance) \
    :: atomic { collectable[instance] && !due[instance] -> due[instance] = 1 } \
    :: atomic { due[instance] && state[instance] != TERMINATED && state[instance] != ABSENT -> \
        collectedActivated = (activated[revision] == instance); CHECK_COLLECTED; down(instance, TERMINATED) }
#else
#define COLLECTOR(instance)
#endif
#if defined(PROPERTY_SERVING) || defined(PROPERTY_SERVING_KEEPS_DISK) || defined(REACH_IDLE_CLAIMANT)
#define AGENT(instance) \
    :: atomic { BOOTED(instance) && IS_ACTIVE(instance) && !viewSaysActive[instance] -> viewSaysActive[instance] = 1 } \
    :: atomic { BOOTED(instance) && viewSaysActive[instance] && !serving[instance] -> \
        serving[instance] = 1; servingCount++; CHECK_SERVING } \
    :: atomic { serving[instance] && !IS_ACTIVE(instance) -> serving[instance] = 0; servingCount-- }
#else
#define AGENT(instance)
#endif

/*
 * Any instance may be stopped or started at any time: by a call of ours that lands late, also an hour later and more than once, or by somebody. An instance
 * that is due is ended at any time from then on.
 */
#define WORLD(instance) \
    :: atomic { state[instance] == STOPPING -> down(instance, STOPPED) } \
    :: atomic { state[instance] == STOPPED -> start(instance) } \
    :: atomic { state[instance] == RUNNING -> state[instance] = STOPPING } \
    COLLECTOR(instance) \
    AGENT(instance)

proctype Environment() {
    do
    :: atomic { holder != NOBODY -> holder = NOBODY }
#ifdef PROPERTY_SERVING_KEEPS_DISK
    :: atomic { lateDetach && !diskOff -> tornFromServing = serving[0]; CHECK_TORN; diskOff = 1 }
    :: atomic { lateDetach -> lateDetach = 0 }
#endif
    WORLD(0)
    WORLD(1)
#ifndef ONLY_UNDOS
    WORLD(2)
#endif
    od
}

/* ================================================================ a coordinator */

inline forgetRun() { myRevision = 0; myBase = 0; myUndo = 0 }
inline closed() { intent = 0; isUndo = 0; base = 0; phase = 0; stoppedSinceIntent = false }

#define PRESENT activated[myBase]
#define TARGET retired[myBase]
#define DIES :: atomic { forgetRun(); seen = revision; goto campaign }
#define REFUSED else -> forgetRun(); goto campaign

proctype Coordinator(byte me) {
    byte seen;                      /* the view of etcd it decides on, of any age: a revision of the activation */
    byte myRevision, myBase;        /* of the intent of this run */
    bit myUndo;

campaign:
    do
    :: atomic { seen != revision -> seen = revision }
    :: atomic { holder == NOBODY && me <= everLed ->
        holder = me;
        if
        :: me == everLed -> everLed++
        :: else
        fi;
        break }
    od;

resume:
    atomic {
        if
        :: !intent -> goto decide
        :: else
        fi;
        myRevision = intentRevision; myBase = base; myUndo = isUndo;
        if
        :: phase == FENCE -> goto fence
        :: phase == BRINGBACK && isUndo -> goto bringback
        :: phase == BRINGBACK && !isUndo -> goto launch
        :: phase == ACTIVATE -> goto activate
        :: phase == CLOSING -> goto close
        :: phase == STANDDOWN -> goto standdown
        :: phase == RESTART -> goto restart
        fi
    }

idle:
    if
    DIES
    :: goto campaign
    fi;

    /* An undo, because a person asks; or a replacement, of which there is room for one. */
decide:
    atomic {
        if
        :: MAY_BEGIN && intentRevision < RECOVERIES && retired[seen] != NONE && state[retired[seen]] == STOPPED &&
            IS_CALM(retired[seen]) && HAS_TIME(retired[seen]) ->
            isUndo = 1; TAKE_OFF_THE_BOOKS(retired[seen])
#ifndef ONLY_UNDOS
        :: MAY_BEGIN && intentRevision < RECOVERIES && state[2] == ABSENT -> isUndo = 0
#endif
        :: goto idle
        fi;
        intent = 1; base = seen; intentRevision++; phase = FENCE;
        begunOnce = !begun[activated[seen] * (RECOVERIES + 2) + ordinal[seen]]; CHECK_INTENT;
        begun[activated[seen] * (RECOVERIES + 2) + ordinal[seen]] = 1;
        stoppedSinceIntent = IS_DOWN(activated[seen]);
        goto resume
    }

fence:
    do
    :: atomic { state[PRESENT] == RUNNING -> state[PRESENT] = STOPPING }
    :: IS_FENCED(PRESENT) -> break
    :: goto standDownNow
    DIES
    od;
    atomic {
        if
        :: MAY_WRITE(FENCE) -> phase = BRINGBACK
        :: REFUSED
        fi;
        if
        :: !myUndo -> goto launch
        :: else
        fi
    }

    /* Asked for again and again, until it is seen to run; or it is given up. A run that was paused asks whenever it wakes up. */
bringback:
    do
    :: atomic { state[TARGET] == STOPPED ->
        broughtBackUnfenced = (MY_INTENT && phase == BRINGBACK && !stoppedSinceIntent); CHECK_FENCE;
        start(TARGET) }
    :: state[TARGET] == RUNNING -> break
    :: goto standDownNow
    DIES
    od;
    atomic {
        if
        :: MAY_WRITE(BRINGBACK) -> phase = ACTIVATE; goto activate
        :: REFUSED
        fi
    }

    /* What makes it one launch is recovery.pml's. */
launch:
    if
    :: atomic { MAY_WRITE(BRINGBACK) && state[2] == ABSENT -> state[2] = RUNNING; phase = ACTIVATE; goto activate }
    :: atomic { !(MAY_WRITE(BRINGBACK) && state[2] == ABSENT) -> forgetRun(); goto campaign }
    DIES
    fi;

    /* It has passed; or not, or somebody has asked for the end. */
activate:
    if
    :: skip
    :: atomic { myUndo -> goto standDownNow }
    DIES
    fi;
    atomic {
        if
        :: MAY_ACTIVATE ->
            activatedByClosed = !MY_INTENT; CHECK_ACTIVATED_BY_OPEN;
            AT_ACTIVATED;
            if
            :: myUndo -> name(TARGET, ORDINAL_AGAIN, PRESENT, ordinal[myBase])
            :: else -> name(2, 0, PRESENT, ordinal[myBase])
            fi;
            if
            :: MY_INTENT && phase == ACTIVATE -> phase = CLOSING
            :: else
            fi
        :: REFUSED
        fi
    }

    /* S30: the books change with it. */
close:
    atomic {
        if
        :: MAY_WRITE(CLOSING) ->
            collectable[activated[revision]] = 0; collectable[PRESENT] = 1;
            if
            :: myUndo -> AT_UNDONE
            :: else
            fi;
            closed(); forgetRun(); goto campaign
        :: REFUSED
        fi
    }

standDownNow:
    atomic {
        if
        :: myUndo && (MAY_WRITE(FENCE) || MAY_WRITE(BRINGBACK) || MAY_WRITE(ACTIVATE)) -> phase = STANDDOWN
        :: REFUSED
        fi
    }

standdown:
    do
    :: atomic { state[TARGET] == RUNNING -> state[TARGET] = STOPPING }
    :: IS_DOWN(TARGET) -> break
    DIES
    od;
    atomic {
        if
        :: MAY_WRITE(STANDDOWN) -> phase = RESTART
        :: REFUSED
        fi
    }

    /* Closed as mended, or at any time as not mended; an abandoned one starts nothing. */
restart:
    if
    :: atomic { start(PRESENT) }
    :: skip
    DIES
    fi;
    atomic {
        if
        :: MAY_WRITE(RESTART) && FROZEN_ACTIVATION -> collectable[TARGET] = 1; closed(); RAISE; forgetRun(); goto campaign
        :: REFUSED
        fi
    }
}

init {
    atomic {
        state[0] = STOPPED; state[1] = RUNNING;
        activated[0] = 1; retired[0] = 0;
        begun[0] = 1;
        collectable[0] = 1;
        serving[1] = 1; servingCount = 1; viewSaysActive[1] = 1;
        run Environment();
        run Coordinator(0);
#if COORDINATORS > 1
        run Coordinator(1)
#endif
    }
}
