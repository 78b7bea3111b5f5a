#pragma once

#include "runtime/base/ids.hpp"

#include <caf/all.hpp>
#include <caf/detail/stringification_inspector.hpp>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <string_view>

namespace qnfv {

/// Prints a message as CAF does (caf::deep_to_string), character for character, but into a place of
/// fixed size and without memory of its own. What has no room is left out.
class text_writer {
public:
  using result_type = void;
  static constexpr bool reads_state = true;
  static constexpr bool writes_state = false;

  text_writer(char* to, size_t room) : begin_(to), at_(to), end_(to + room) {}

  size_t size() const { return static_cast<size_t>(at_ - begin_); }
  bool full() const { return full_; }

  template <class... Ts>
  void operator()(Ts&&... xs) {
    put_all(xs...);
  }

  void put(std::string_view x) {
    auto n = std::min(x.size(), static_cast<size_t>(end_ - at_));
    std::memcpy(at_, x.data(), n);
    at_ += n;
    full_ = full_ || n < x.size();
  }
  template <size_t N>
  void put(const char (&literal)[N]) {
    if (static_cast<size_t>(end_ - at_) < N - 1)
      return put(std::string_view{literal, N - 1});
    std::memcpy(at_, literal, N - 1);
    at_ += N - 1;
  }
  void put(char x) {
    full_ = at_ == end_;
    if (!full_)
      *at_++ = x;
  }

  /// One value, as CAF prints it inside others.
  template <class T>
  void put_field(const T& x) {
    using caf::detail::is_inspectable;
    if constexpr (is_name<T>::value)
      put(x.value);
    else if constexpr (is_uuid<T>::value)
      put_uuid(x.value);
    else if constexpr (std::is_same_v<T, bool>)
      put(x ? "true" : "false");
    else if constexpr (std::is_integral_v<T>)
      put_number(static_cast<std::conditional_t<std::is_signed_v<T>, int64_t, uint64_t>>(x));
    else if constexpr (std::is_same_v<T, double>)
      put_double(x);
    else if constexpr (std::is_same_v<T, std::string>)
      put_quoted(x);
    else if constexpr (caf::detail::has_to_string<T>::value)
      put(to_string(x));
    else if constexpr (is_inspectable<text_writer, T>::value)
      inspect(*this, const_cast<T&>(x));
    else if constexpr (caf::detail::is_map_like<T>::value)
      put_map(x);
    else if constexpr (caf::detail::is_iterable<T>::value && !std::is_convertible_v<T, caf::string_view>)
      put_range(x);
    else
      put(caf::deep_to_string(x));
  }

private:
  template <class T>
  struct is_uuid : std::false_type {};
  template <class Tag>
  struct is_uuid<uuid<Tag>> : std::true_type {};
  template <class T>
  struct is_name : std::false_type {};
  template <class Tag>
  struct is_name<name_id<Tag>> : std::true_type {};

  void put_all() {}
  template <class... Ts>
  void put_all(const caf::meta::type_name_t& name, const Ts&... fields) {
    separate();
    put(name.value);
    put('(');
    put_all(fields...);
    put(')');
  }
  template <class T, class... Ts>
  void put_all(const T& x, const Ts&... more) {
    if constexpr (!caf::meta::is_annotation<T>::value) {
      separate();
      put_field(x);
    }
    put_all(more...);
  }

  template <size_t N>
  void put_range(const std::array<uint8_t, N>& xs) {
    put_numbers(xs.data(), N);
  }

  template <class T>
  void put_range(const T& xs) {
    put('[');
    for (const auto& x : xs) {
      if (full_)
        return;
      separate();
      put_field(x);
    }
    put(']');
  }

  template <class T>
  void put_map(const T& xs) {
    put('{');
    for (auto& [key, value] : xs) {
      if (full_)
        return;
      separate();
      put_field(key);
      put(" = ");
      put_field(value);
    }
    put('}');
  }

  /// CAF looks at what stands there to know whether something went before.
  void separate() {
    if (at_ == begin_)
      return;
    auto x = at_[-1];
    if (x != '(' && x != '{' && x != '[' && x != '*' && x != ' ')
      put(", ");
  }

  template <class T>
  void put_number(T x) {
    if (x >= 0 && x <= 9) // Bytes of ids, counts: most are small.
      return put(static_cast<char>('0' + x));
    char digits[20];
    put(std::string_view{digits, static_cast<size_t>(std::to_chars(digits, digits + sizeof digits, x).ptr - digits)});
  }

  void put_numbers(const uint8_t* xs, size_t n);
  void put_double(double);
  void put_uuid(const std::array<uint8_t, 16>&);
  void put_quoted(std::string_view);

  char* const begin_;
  char* at_;
  char* const end_;
  bool full_ = false;
};

} // namespace qnfv
