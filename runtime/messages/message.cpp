#include "runtime/messages/message.hpp"

namespace qnfv {

namespace {

std::string text_of(const caf::error& x) {
  const auto& context = x.context();
  return context.size() > 0 && context.match_element<std::string>(0)
           ? context.get_as<std::string>(0)
           : std::string{};
}

} // namespace

failure to_failure(const caf::error& x) {
  if (!x)
    return {ec::none, {}};
  if (x.category() == caf::atom("qnfv"))
    return {static_cast<ec>(x.code()), text_of(x)};
  if (x.category() == caf::atom("system"))
    switch (static_cast<caf::sec>(x.code())) {
      case caf::sec::request_timeout:
        return {ec::maybe_executed, "no answer in time"};
      case caf::sec::request_receiver_down:
      case caf::sec::cannot_connect_to_node:
      case caf::sec::no_route_to_receiving_node:
        return {ec::site_unreachable, "the receiver is gone"};
      default:
        return {ec::internal, to_string(static_cast<caf::sec>(x.code()))};
    }
  if (x.category() == caf::atom("exit"))
    return {ec::site_unreachable, "the receiver ended"};
  return {ec::internal, caf::to_string(x)};
}

std::string describe(const failure& x) {
  return x.text.empty() ? to_string(x.code) : to_string(x.code) + ": " + x.text;
}

std::string describe(const caf::error& x) {
  return describe(to_failure(x));
}

} // namespace qnfv
