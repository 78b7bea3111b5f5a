#pragma once

#include "runtime/base/error.hpp"

#include <string>
#include <utility>
#include <variant>

namespace qnfv {

/// A value or the reason why there is none: what pure functions return. C++17 has no
/// std::expected, and caf::expected would tie the pure half to CAF.
template <class T>
class result {
public:
  result(T value) : v_(std::move(value)) {}
  result(failure why) : v_(std::move(why)) {}
  result(ec code, std::string text) : v_(failure{code, std::move(text)}) {}

  explicit operator bool() const noexcept { return v_.index() == 0; }
  T& operator*() { return std::get<0>(v_); }
  const T& operator*() const { return std::get<0>(v_); }
  T* operator->() { return &std::get<0>(v_); }
  const T* operator->() const { return &std::get<0>(v_); }
  const failure& error() const { return std::get<1>(v_); }

private:
  std::variant<T, failure> v_;
};

/// Success without a value, or a failure.
struct done {};
using status = result<done>;

} // namespace qnfv
