/*
 * One Elastic IP through two recoveries of one member (instance 0 is replaced by 1, then 1 by 2): nobody takes it from the instance that is
 * activated, or from a third party, and each recovery that ends has it where it belongs.
 *
 * Two recoveries, because the danger is in the late call and the paused leader of the first one. What came before the address step of each is
 * recovery.pml's. How to read it: as recovery.pml.
 */

#ifndef COORDINATORS
#define COORDINATORS 2
#endif
/* Associations EC2 makes before it refuses: each has an id of its own, and ids are never used again. */
#ifndef ASSOCIATIONS
#define ASSOCIATIONS 5
#endif
#define NOBODY 255
#define NONE 0

/* ================================================================ etcd */

/* Whose leader key it is; terms need no numbers (recovery.pml). */
byte holder = NOBODY;
byte everLed;
#ifdef TERMS
byte termCount;
#endif

/* The recovery that is open, 1 or 2, at its address step: its old instance is fenced, its replacement activated. 3: both are over. */
#define OVER 3
byte recovery = 1;
#define oldOf(recovery_) (recovery_ - 1)
#define replacementOf(recovery_) (recovery_)

/* The association that this recovery may remove, by the journal of its address step. */
byte recorded = NONE;
bool begun;

/* ================================================================ EC2 */

/* Where the address is, by which association; and what a describe may still show, which is what was true before the last change. */
#define NOWHERE 9
#define THIRD_PARTY 8
byte place = 0;
byte association = 1;
byte earlierPlace = 0;
byte earlierAssociation = 1;
byte associationCount = 1;

/* Calls given up that may still land, any number of times: AssociateAddress to replacement 1 or 2, DisassociateAddress of one association. */
bit lateAssociate[OVER];
bit lateDisassociate[ASSOCIATIONS + 1];

/* ================================================================ properties */

bool takenFromActivated;
bool takenFromThirdParty;
bool endedElsewhere;

#ifdef PROPERTY_ACTIVATED_KEEPS
#define CHECK_TAKEN takenFromActivated = takenFromActivated || (place == replacementOf(recovery)) || (recovery == OVER && place == 2); \
    assert(!takenFromActivated)
#else
#define CHECK_TAKEN skip
#endif
#ifdef PROPERTY_THIRD_PARTY_KEEPS
#define CHECK_THIRD_PARTY takenFromThirdParty = (place == THIRD_PARTY); assert(!takenFromThirdParty)
#else
#define CHECK_THIRD_PARTY skip
#endif
#ifdef PROPERTY_SETTLES
#define CHECK_SETTLED(replacement_) endedElsewhere = (place != replacement_); assert(!endedElsewhere)
#else
#define CHECK_SETTLED(replacement_) skip
#endif
#ifdef REACH_BOTH_DONE
bool reachedBothDone;
#define AT_END(recovery_) reachedBothDone = (recovery_ == 2); assert(!reachedBothDone)
#else
#define AT_END(recovery_) skip
#endif
#ifdef REACH_RECORD_CORRECTED
bool reachedRecordCorrected;
#define AT_NOTED reachedRecordCorrected = (recovery == 2); assert(!reachedRecordCorrected)
#else
#define AT_NOTED skip
#endif

/* ================================================================ EC2's side of a call */

/*
 * What is assigned to an interface has no id of its own: it is taken off one interface, so its holder is its id, and comes back with the
 * holder. (S12: secondary private addresses, IPv6 addresses, prefixes.)
 */
#ifdef BY_INTERFACE
#define ASSOCIATION_AT(place_) (place_ == THIRD_PARTY -> 4 : place_ + 1)
#define COUNT_ASSOCIATION skip
#else
#define ASSOCIATION_AT(place_) associationCount
#define COUNT_ASSOCIATION associationCount++
#endif

inline move(place_, association_) {
    earlierPlace = place; earlierAssociation = association;
    place = place_; association = association_
}

/* S12: AllowReassociation is false, so an address that is somewhere stays there. Without: it is taken from whoever has it. */
#ifdef WITHOUT_CONDITIONAL_CALL
#define MAY_ASSOCIATE(replacement_) (place != replacement_ && associationCount < ASSOCIATIONS)
#else
#define MAY_ASSOCIATE(replacement_) (place == NOWHERE && associationCount < ASSOCIATIONS)
#endif
inline associate(replacement_) {
    if
    :: place != NOWHERE -> CHECK_TAKEN; CHECK_THIRD_PARTY
    :: else
    fi;
    COUNT_ASSOCIATION;
    move(replacement_, ASSOCIATION_AT(replacement_))
}

inline disassociate(association_) {
    CHECK_TAKEN; CHECK_THIRD_PARTY;
    move(NOWHERE, NONE)
}

/* ================================================================ the rules that a switch removes */

/* S2. */
#ifdef WITHOUT_GUARD
#define MAY_WRITE true
#else
#define MAY_WRITE (holder == me)
#endif

/* S12: only an association with the instance that this recovery has fenced may go ... */
#ifdef WITHOUT_OWNER_CHECK
#define IS_OURS_TO_REMOVE true
#else
#define IS_OURS_TO_REMOVE (seenPlace == oldOf(myRecovery))
#endif

/* ... and only the one that is on record, written under the guard. Without: whichever a read shows, whatever etcd says by now. */
#ifdef WITHOUT_GUARDED_RECORD
#define IS_RECORDED true
#else
#define IS_RECORDED (seenAssociation == mayRemove)
#endif

/* ================================================================ the environment */

#define LATE_DISASSOCIATE(association_) \
    :: atomic { lateDisassociate[association_] && association == association_ -> disassociate(association_) }

proctype Environment() {
    do
    :: atomic { holder != NOBODY -> holder = NOBODY }
    :: atomic { lateAssociate[1] && MAY_ASSOCIATE(1) -> associate(1) }
    :: atomic { lateAssociate[2] && MAY_ASSOCIATE(2) -> associate(2) }
    LATE_DISASSOCIATE(1)
    LATE_DISASSOCIATE(2)
    LATE_DISASSOCIATE(3)
    LATE_DISASSOCIATE(4)
#if ASSOCIATIONS > 4
    LATE_DISASSOCIATE(5)
#endif
#if ASSOCIATIONS > 5
    LATE_DISASSOCIATE(6)
#endif
    /* Somebody else takes the address while it is free, or lets go of it. */
    :: atomic { place == NOWHERE && associationCount < ASSOCIATIONS -> COUNT_ASSOCIATION; move(THIRD_PARTY, ASSOCIATION_AT(THIRD_PARTY)) }
    :: atomic { place == THIRD_PARTY -> move(NOWHERE, NONE) }
    od
}

/* ================================================================ a coordinator */

inline forget() {
    myRecovery = 0; mayRemove = NONE; seenPlace = 0; seenAssociation = NONE
}
#define OR_DIES :: atomic { forget(); goto campaign }
#define WRITE_IF(allowed) if :: !(allowed) -> forget(); goto campaign :: else fi

/* DescribeAddresses: what is true, or what was before the last change (A9). */
inline describe() {
    if
    :: seenPlace = place; seenAssociation = association
    :: seenPlace = earlierPlace; seenAssociation = earlierAssociation
    fi
}

proctype Coordinator(byte me) {
    byte myRecovery, mayRemove;      /* intent and journal, as they were read */
    byte seenPlace, seenAssociation; /* the newest describe */

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
    atomic {
        if
        :: recovery == OVER -> goto idle
        :: else
        fi;
        myRecovery = recovery; mayRemove = recorded;
        if
        :: begun -> goto look
        :: else
        fi
    }

    /* The request is frozen with the association that is seen on the fenced instance (identity/elastic-ip.ts, request). */
    atomic { describe() }
    atomic {
        WRITE_IF(MAY_WRITE);
        begun = true;
        mayRemove = (seenPlace == oldOf(myRecovery) -> seenAssociation : NONE);
        recorded = mayRemove
    }

    /* addressMove, line by line. What a third party has is left alone, and a person is called: the run ends, and a later one looks again. */
look:
    if
    :: atomic { describe() }
    OR_DIES
    fi;
    if
    :: atomic { seenPlace == replacementOf(myRecovery) -> goto close }
    :: atomic { seenPlace == NOWHERE -> goto associateStep }
    :: atomic { seenPlace != NOWHERE && seenPlace != replacementOf(myRecovery) && !IS_OURS_TO_REMOVE -> goto look }
    :: atomic { seenPlace != NOWHERE && seenPlace != replacementOf(myRecovery) && IS_OURS_TO_REMOVE && IS_RECORDED -> goto disassociateStep }
    :: atomic { seenPlace != NOWHERE && seenPlace != replacementOf(myRecovery) && IS_OURS_TO_REMOVE && !IS_RECORDED -> goto note }
    OR_DIES
    fi;

note:
    atomic { WRITE_IF(MAY_WRITE); mayRemove = seenAssociation; recorded = mayRemove; AT_NOTED; goto look }

disassociateStep:
    if
    :: atomic { association == seenAssociation -> disassociate(seenAssociation); goto associateStep }
    :: atomic { association == seenAssociation -> disassociate(seenAssociation); goto look } /* the reply is lost */
    :: atomic { association != seenAssociation -> goto look }                                /* "no such association" */
    :: atomic { !lateDisassociate[seenAssociation] -> lateDisassociate[seenAssociation] = 1; goto look }
    OR_DIES
    fi;

associateStep:
    if
    :: atomic { MAY_ASSOCIATE(replacementOf(myRecovery)) -> associate(replacementOf(myRecovery)); goto look }
    :: atomic { !MAY_ASSOCIATE(replacementOf(myRecovery)) -> goto look } /* "already associated" */
    :: atomic { !lateAssociate[myRecovery] -> lateAssociate[myRecovery] = 1; goto look }
    OR_DIES
    fi;

    /* The replacement has it: the recovery ends; some day its instance fails in turn, and the next recovery comes to its address step. */
close:
    atomic {
        WRITE_IF(MAY_WRITE && recovery == myRecovery);
        CHECK_SETTLED(replacementOf(myRecovery));
        AT_END(myRecovery);
        recovery = myRecovery + 1; recorded = NONE; begun = false
    }

idle:
    if OR_DIES fi
}

init {
    atomic {
        run Environment();
        run Coordinator(0);
        run Coordinator(1);
#if COORDINATORS > 2
        run Coordinator(2);
#endif
    }
}
