#include "runtime/messages/message_names.hpp"

#include "runtime/base/closest_word.hpp"
#include "runtime/messages/wire.hpp"

#include <algorithm>
#include <utility>

namespace qnfv {

namespace {

constexpr auto first_type = caf::id_block::qnfv_wire::begin;

template <size_t... I>
std::vector<std::string> names_of(std::index_sequence<I...>) {
  std::vector<std::string> out{caf::type_name_by_id<first_type + I>::value...};
  for (auto& x : out)
    x.erase(0, std::string{"qnfv::"}.size());
  return out;
}

} // namespace

const std::vector<std::string>& message_names() {
  static const auto all =
    names_of(std::make_index_sequence<caf::id_block::qnfv_local::end - first_type>{});
  return all;
}

status check_message_name(const std::string& name) {
  auto& all = message_names();
  if (std::count(all.begin(), all.end(), name) > 0)
    return done{};
  auto meant = closest_word(name, all);
  return {ec::invalid_argument, "no message is called " + name
                                  + (meant.empty() ? "" : "; did you mean " + meant + "?")};
}

} // namespace qnfv
