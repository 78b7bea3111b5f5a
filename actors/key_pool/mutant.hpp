#pragma once

// Faults of the protocol that a test build can switch on, one at a time, to prove that the tests
// would notice them (tests/actors/key_pool_mutants_test.cpp). Any other build has none of this.

#ifdef QNFV_KEY_POOL_MUTANTS
namespace qnfv {
extern int key_pool_mutant;
}
#define QNFV_MUTANT(n) (::qnfv::key_pool_mutant == (n))
#else
#define QNFV_MUTANT(n) false
#endif
