#pragma once

// How messages and interfaces are written. The only header that knows which CAF this is (0.17.6).

#include "runtime/base/error.hpp"
#include "runtime/base/result.hpp"

#include <boost/preprocessor/seq/for_each.hpp>
#include <boost/preprocessor/variadic/to_seq.hpp>
#include <caf/all.hpp>

#include <cmath>
#include <limits>
#include <string>
#include <type_traits>

// Lists the fields of a message once: CAF serialises and prints them from this.
#define QNFV_FIELD(r, data, field) , ::qnfv::detail::to_inspect<Inspector>(x.field)
#define QNFV_MESSAGE(Type, ...)                                                                    \
  template <class Inspector>                                                                       \
  typename Inspector::result_type inspect(Inspector& f, Type& x) {                                 \
    return f(caf::meta::type_name(#Type)                                                           \
               BOOST_PP_SEQ_FOR_EACH(QNFV_FIELD, _, BOOST_PP_VARIADIC_TO_SEQ(__VA_ARGS__)));       \
  }
// A message without fields.
#define QNFV_SIGNAL(Type)                                                                          \
  template <class Inspector>                                                                       \
  typename Inspector::result_type inspect(Inspector& f, Type&) {                                   \
    return f(caf::meta::type_name(#Type));                                                         \
  }

// At most 10 characters name an error category in CAF 0.17.
CAF_ERROR_CODE_ENUM(qnfv::ec, "qnfv")

namespace qnfv {

namespace detail {
/// CAF 0.17.6 never ends writing an infinite double: infinity travels as the largest double, and what is
/// no number as 0.
template <class Inspector, class T>
decltype(auto) to_inspect(T& x) {
  if constexpr (std::is_same_v<T, double> && Inspector::reads_state)
    return std::isfinite(x)  ? double{x}
           : std::isnan(x)   ? 0.0
           : std::copysign(std::numeric_limits<double>::max(), x);
  else
    return (x);
}

template <class>
struct signature;
template <class... R, class... A>
struct signature<caf::result<R...>(A...)> {
  using type = typename caf::replies_to<A...>::template with<R...>;
};
} // namespace detail

/// An actor interface written as function signatures: `actor_of<caf::result<pong>(ping)>`.
template <class... Fs>
using actor_of = caf::typed_actor<typename detail::signature<Fs>::type...>;

/// The error an actor answers with: code and text travel to the asker.
inline caf::error fail(ec code, std::string text) {
  return caf::make_error(code, std::move(text));
}
inline caf::error fail(const failure& why) {
  return fail(why.code, why.text);
}

/// The other way: what an actor's answer means. CAF's own errors (a request that timed out, a
/// receiver that is gone) become the code a caller of ours would react to.
failure to_failure(const caf::error&);

/// "unknown_image: no image named fw" for people.
std::string describe(const caf::error&);
std::string describe(const failure&);

} // namespace qnfv
