// IDQ3P datagrams. An odd first byte: with the right CRC, which no mutation finds.

#include "drivers/idq3p/codec.hpp"
#include "tests/fuzz/fuzz.hpp"

#include <algorithm>

using namespace qnfv;
using namespace qnfv::fuzz;

namespace {

void judge_request(byte_view datagram) {
  idq3p_request x;
  if (decode(datagram, x) != idq3p_problem::none)
    return;
  idq3p_request again;
  hold(decode(encode(x), again) == idq3p_problem::none && again == x,
       "a request that was understood can be written");
  hold(x.key_bytes >= 1 && x.key_bytes <= idq3p_key_bytes_max, "a request is for 1 to 32 bytes");
  hold(x.device >= 1 && x.device <= idq3p_devices_max, "a request is for a device of the box");
}

void judge_response(byte_view datagram) {
  idq3p_response x;
  x.request = 0xFEEDF00D;
  x.device = 77;
  if (decode(datagram, x) != idq3p_problem::none)
    return hold(x.request == 0xFEEDF00D && x.device == 77 && x.key.empty() && x.id.is_new(),
                "what is no response changes nothing");
  hold(x.key.size() == (x.status == idq3p_status::ok ? x.key_bytes : 0),
       "a key comes with an ok, and is as long as it says");
  idq3p_response again;
  hold(decode(encode(x).view(), again) == idq3p_problem::none && again.id == x.id
         && again.request == x.request && again.device == x.device && again.status == x.status
         && equal_constant_time(again.key.view(), x.key.view()),
       "a response that was understood can be written");
}

} // namespace

QNFV_FUZZER(data, size) {
  parts in{data, size};
  bool sign = in.byte() % 2 == 1;
  bytes datagram{in.rest().begin(), in.rest().end()};
  if (sign && datagram.size() >= 4) {
    auto end = datagram.size() - 4;
    store_be32(datagram.data() + end, crc32_bzip2(byte_view{datagram}.part(0, end)));
  }
  bounded(size, of_bytes, [&] { judge_request(datagram); return 0; });
  bounded(size, of_bytes, [&] { judge_response(datagram); return 0; });
  return 0;
}
