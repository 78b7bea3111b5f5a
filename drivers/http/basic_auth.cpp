#include "drivers/http/basic_auth.hpp"

#include "runtime/base/base64.hpp"

#include <algorithm>
#include <cctype>

namespace qnfv {

namespace {

constexpr std::string_view scheme = "Basic ";

} // namespace

secret basic_authorization(const std::string& user, const secret& password) {
  secret text{user.size() + 1 + password.size()};
  auto* to = std::copy(user.begin(), user.end(), text.data());
  *to++ = ':';
  std::copy(password.view().begin(), password.view().end(), to);
  secret out{scheme.size() + base64_size(text.size())};
  std::copy(scheme.begin(), scheme.end(), out.data());
  write_base64(text.view(), out.data() + scheme.size());
  return out;
}

bool same_authorization(const secret& given, const secret& expected) {
  if (given.size() < scheme.size() || expected.size() < scheme.size())
    return false;
  // The scheme's name in any case.
  auto named =
    std::equal(scheme.begin(), scheme.end(), given.view().begin(), [](char a, uint8_t b) {
      return std::tolower(static_cast<unsigned char>(a)) == std::tolower(b);
    });
  return named
         && equal_constant_time(given.view().part(scheme.size()),
                                expected.view().part(scheme.size()));
}

} // namespace qnfv
