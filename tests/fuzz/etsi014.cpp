// ETSI GS QKD 014 at the key server: "POST TARGET", a line, and the body; and, for clients, what a
// key server answers.

#include "drivers/etsi014/codec.hpp"
#include "drivers/http/json.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace qnfv;
using namespace qnfv::fuzz;

namespace {

std::string_view words(const secret& x) {
  return text_of(x.view().data(), x.size());
}

void judge(const etsi014_call& call, size_t input_bytes) {
  if (auto* error = std::get_if<etsi014_error>(&call)) {
    auto response = answer(*error);
    hold(response.status >= 400 && response.status < 600, "a refusal has a status of a refusal");
    auto object = parse_object(words(response.body));
    hold(object && object->HasMember("message"), "a refusal is an Error object");
  } else if (auto* draw = std::get_if<draw_keys>(&call)) {
    hold(!draw->slave.empty() && draw->additional_slaves.size() <= input_bytes,
         "who draws names a slave");
  } else if (auto* fetch = std::get_if<fetch_keys>(&call)) {
    hold(!fetch->master.empty() && fetch->keys.size() <= input_bytes / 36,
         "who fetches names a master and no more keys than bytes can");
  }
}

} // namespace

QNFV_FUZZER(data, size) {
  parts in{data, size};
  http_request request;
  auto line = in.line();
  auto blank = line.find(' ');
  request.method = line.substr(0, blank);
  request.target = blank == std::string_view::npos ? "" : line.substr(blank + 1);
  request.body = in.rest_text();
  judge(bounded(size, of_json, [&] { return parse_call(request, {}); }), size);
  auto grants = bounded(size, of_json,
                        [&] { return parse_key_container(secret{in.rest()}); });
  if (grants) {
    auto written = answer(*grants);
    auto again = parse_key_container(written.body);
    hold(again && again->keys.size() == grants->keys.size(), "keys that came can be sent");
  }
  return 0;
}
