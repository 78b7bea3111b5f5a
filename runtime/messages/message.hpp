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

// Lists the fields of a message once: CAF serialises and prints them from this. Stands in namespace qnfv,
// behind the message.
#define QNFV_MESSAGE(Type, ...) QNFV_FIELDS(Type, __VA_ARGS__) QNFV_COMPILED_ONCE(Type)
// A message without fields.
#define QNFV_SIGNAL(Type) QNFV_INSPECTED(Type, ) QNFV_COMPILED_ONCE(Type)
// The fields of a part of messages.
#define QNFV_FIELDS(Type, ...)                                                                     \
  QNFV_INSPECTED(Type, BOOST_PP_SEQ_FOR_EACH(QNFV_FIELD, _, BOOST_PP_VARIADIC_TO_SEQ(__VA_ARGS__)))
#define QNFV_FIELD(r, data, field) , ::qnfv::detail::to_inspect<Inspector>(x.field)

// What CAF makes of a message is a third of all code if every file that sends it compiles it again. So
// compiled.cpp does, and the others are told not to.
#ifndef QNFV_EXTERN
#define QNFV_EXTERN extern
#endif
#define QNFV_INSPECTED(Type, fields)                                                               \
  template <class Inspector>                                                                       \
  typename Inspector::result_type inspect(Inspector& f, [[maybe_unused]] Type& x) {                \
    return f(caf::meta::type_name(#Type) fields);                                                  \
  }                                                                                                \
  QNFV_EXTERN template caf::error inspect(caf::serializer&, Type&);                                \
  QNFV_EXTERN template caf::error inspect(caf::deserializer&, Type&);                              \
  QNFV_EXTERN template void inspect(caf::detail::stringification_inspector&, Type&);
#define QNFV_COMPILED_ONCE(Type)                                                                   \
  } /* CAF's templates can be spoken of outside our namespace only. */                             \
  QNFV_EXTERN template class caf::detail::tuple_vals_impl<caf::detail::message_data, qnfv::Type>;  \
  QNFV_EXTERN template class caf::detail::tuple_vals_impl<caf::type_erased_tuple, qnfv::Type>;     \
  QNFV_EXTERN template class caf::detail::tuple_vals<qnfv::Type>;                                  \
  QNFV_EXTERN template class caf::detail::type_erased_value_impl<qnfv::Type>;                      \
  namespace qnfv {

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
