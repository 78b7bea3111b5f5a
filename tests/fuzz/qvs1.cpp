// A QVS1 stream as a stranger sends it: 96 bytes of header, then what shall be a frame.

#include "runtime/crypto/qvs1.hpp"
#include "tests/fuzz/fuzz.hpp"

#include <algorithm>

using namespace qnfv;
using namespace qnfv::fuzz;

QNFV_FUZZER(data, size) {
  const secret key{bytes(32, 0x5a)};
  parts in{data, size};
  auto raw = in.take(qvs1::header_bytes);
  auto head = bounded(size, of_bytes, [&] { return qvs1::parse_header(raw); });
  auto stranger = qvs1::cipher::open(key, raw);
  hold(!stranger, "without the key nobody commits to it");
  hold(stranger.error().code == ec::stream_corrupt, "a stream of strangers is corrupt");
  if (!head) {
    hold(head.error().code == ec::stream_corrupt, "what is no header is a corrupt stream");
    return 0;
  }
  auto frames = qvs1::frame_count(head->plaintext_bytes, head->segment_log2);
  hold(head->plaintext_bytes == qvs1::unknown_length || frames >= 1, "a stream has a frame");
  auto sender = qvs1::cipher::seal(key, *head);
  hold(bool{sender}, "a header that was understood can be sent");
  auto fresh = sender->raw_header();
  hold(std::equal(fresh.begin(), fresh.begin() + 64, raw.begin()), "and is the same");
  auto receiver = qvs1::cipher::open(key, fresh);
  hold(bool{receiver}, "who has the key opens the stream");
  auto frame = in.rest();
  auto number = load_be32(fresh.data() + 24) / 2; // Of the salt: any number.
  hold(!receiver->open_frame(number, false, frame) && !receiver->open_frame(number, true, frame),
       "no frame of a stranger opens");
  if (frame.empty() || frame.size() > head->segment_bytes())
    return 0;
  auto sealed = sender->seal_frame(number, true, frame);
  hold(bool{sealed}, "a segment can be sealed");
  auto opened = receiver->open_frame(number, true, *sealed);
  hold(opened && std::equal(opened->begin(), opened->end(), frame.begin(), frame.end()),
       "and opens to itself");
  hold(!receiver->open_frame(number, false, *sealed) && !receiver->open_frame(number + 1, true, *sealed),
       "but not in another place");
  return 0;
}
