#pragma once

// Faults that a test build can switch on, one at a time, to prove that the tests would notice them
// (tests/**/*_mutants_test.cpp). Any other build has none of this.

#ifdef QNFV_MUTANTS
#  include <string_view>
namespace qnfv {
extern std::string_view mutant; ///< The fault that is on; empty: none.
}
#  define QNFV_MUTANT(fault) (::qnfv::mutant == (fault))
#else
#  define QNFV_MUTANT(fault) false
#endif
