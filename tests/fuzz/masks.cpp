// What a trace shows of bytes on a wire: those of HTTP in pieces, the datagrams, messages and lines of
// the others. The first byte says which, the second where a piece ends.

#include "drivers/etsi014/codec.hpp"
#include "drivers/http/mask.hpp"
#include "drivers/idq3p/codec.hpp"
#include "drivers/openflow/codec.hpp"
#include "drivers/scpi/codec.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace qnfv;
using namespace qnfv::fuzz;

namespace {

void of_http(http_mask::direction direction, byte_view all, size_t cut) {
  http_mask whole{direction, etsi014_shown}, pieces{direction, etsi014_shown};
  auto once = bounded(all.size(), of_bytes, [&] { return whole.show(all).value; });
  auto shown = pieces.show(all.part(0, cut)).value;
  for (auto c : pieces.show(all.part(cut)).value)
    shown.push_back(c);
  hold(once.size() == all.size(), "what is shown is as long as what there was");
  hold(shown == once, "pieces do not matter");
  for (size_t i = 0; i < all.size(); ++i)
    hold(once[i] == all[i] || once[i] == masked_byte, "a byte is shown or masked");
}

} // namespace

QNFV_FUZZER(data, size) {
  parts in{data, size};
  auto what = in.byte() % 5;
  auto cut = in.byte();
  auto all = in.rest();
  if (what == 0)
    of_http(http_mask::direction::requests, all, cut);
  else if (what == 1)
    of_http(http_mask::direction::answers, all, cut);
  else if (what == 2)
    hold(show_openflow(all).value.size() == all.size(), "a message keeps its length");
  else if (what == 3)
    hold(show_idq3p(all).value.size() == all.size(), "a datagram keeps its length");
  else
    hold(show_scpi(in.rest_text()).value.size() == all.size() + 1, "a line keeps its length");
  return 0;
}
