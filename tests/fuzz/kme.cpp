// What a key management entity of another make answers.

#include "drivers/http/json.hpp"
#include "drivers/qkd_etsi014/kme_codec.hpp"
#include "tests/fuzz/fuzz.hpp"

#include <algorithm>
#include <set>

using namespace qnfv;
using namespace qnfv::fuzz;

QNFV_FUZZER(data, size) {
  const secret body{byte_view{data, size}};
  auto status = bounded(size, of_json, [&] { return parse_kme_status(body); });
  hold(status || status.error().code == ec::device_failed, "what is no status is a failed device");
  auto said = bounded(size, of_json, [&] { return kme_message(body); });
  hold(said.size() <= 200
         && std::all_of(said.begin(), said.end(), [](char c) { return c >= ' ' && c <= '~'; }),
       "what a device says is short and printable");
  constexpr size_t keys_max = 8;
  auto keys = bounded(size, of_json, [&] { return parse_key_container(body, keys_max); });
  if (!keys) {
    hold(keys.error().code == ec::device_failed, "what are no keys is a failed device");
    return 0;
  }
  std::vector<std::string> names;
  for (auto& key : *keys) {
    hold(key.bits.size() == key_bytes && good_key_name(key.name), "a key has 32 bytes and a name");
    names.push_back(key.name);
  }
  hold(names.size() <= keys_max, "no more keys than were asked for");
  hold(std::set<std::string>(names.begin(), names.end()).size() == names.size(),
       "no key is there twice");
  hold(bool{parse_object(dec_keys_body(names))}, "keys can be asked for by these names");
  return 0;
}
