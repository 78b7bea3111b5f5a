// What a peer sends to a gateway. The first byte: the peer accepted the connection (bit 0), and in
// what pieces its bytes come (the rest). Frames of nobody: the input brings the node ids.

#include "runtime/deployment/vet.hpp"
#include "tests/fuzz/fuzz.hpp"

#include <algorithm>

using namespace qnfv;
using namespace qnfv::fuzz;

namespace {

constexpr uint32_t payload_max_bytes = 4096;

struct outcome {
  bool good = true;
  bytes passed;
  uint64_t frames = 0, dropped = 0;
  bool introduced = false;
};

outcome vet(bool peer_is_server, byte_view in, size_t piece) {
  frame_vetter vetter{{"dc1", peer_is_server, make_node_bytes(7, "co"), payload_max_bytes}};
  outcome out;
  for (size_t at = 0; out.good && at < in.size(); at += piece)
    out.good = bool{vetter.feed(in.part(at, piece), out.passed)};
  out.frames = vetter.passed();
  out.dropped = vetter.dropped();
  out.introduced = vetter.introduced();
  return out;
}

} // namespace

QNFV_FUZZER(data, size) {
  parts in{data, size};
  auto first = in.byte();
  bool peer_is_server = first & 1;
  auto all = in.rest();
  auto x = bounded(size, of_bytes, [&] { return vet(peer_is_server, all, SIZE_MAX / 2); });
  auto y = vet(peer_is_server, all, 1 + first / 2);
  hold(x.good == y.good && x.passed == y.passed && x.frames == y.frames && x.dropped == y.dropped,
       "the pieces of a connection do not matter");
  hold(x.introduced || x.passed.empty(), "nothing passes before a handshake");
  auto again = vet(peer_is_server, x.passed, SIZE_MAX / 2);
  hold(again.good && again.passed == x.passed && again.dropped == 0, "what passed passes again");
  uint64_t frames = 0;
  auto expected = make_node_bytes(0, "dc1");
  for (byte_view rest{x.passed}; !rest.empty(); ++frames) {
    auto payload = load_be32(rest.data() + 4);
    hold(rest.size() >= 32 + payload && payload <= payload_max_bytes, "only whole frames pass");
    hold(rest[0] != 3 && rest[0] <= 6, "nothing is routed");
    if (rest[0] <= 1)
      hold(std::equal(expected.begin() + 12, expected.end(), rest.begin() + 32 + 12),
           "a peer speaks for its own site");
    if (rest[0] == 2)
      hold((rest[3] & 1) == 0, "no message goes to an actor by name");
    rest = rest.part(32 + payload);
  }
  hold(frames == x.frames, "every frame that passed is counted");
  return 0;
}
