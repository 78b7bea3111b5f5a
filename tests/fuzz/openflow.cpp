// OpenFlow: messages of either end, and the stream they are cut from. The first byte says in what
// pieces the stream comes.

#include "drivers/openflow/codec.hpp"
#include "tests/fuzz/fuzz.hpp"

#include <algorithm>

using namespace qnfv;
using namespace qnfv::fuzz;

namespace {

template <class Read, class Write>
void there_and_back(byte_view message, Read read, Write write) {
  auto x = bounded(message.size(), of_bytes, [&] { return read(message); });
  if (!x)
    return hold(x.error().code == ec::invalid_argument, "what is no message is an invalid argument");
  auto written = write(*x);
  auto again = read(written);
  hold(again && write(*again) == written, "a message that was understood can be written");
}

void read_all(byte_view x) {
  if (auto header = read_header(x))
    hold(header->length == x.size(), "the length of a header is that of its message");
  there_and_back(x, read_features, [](auto& y) { return encode(7, y); });
  there_and_back(x, read_cflow_mod, [](auto& y) { return encode(7, y); });
  there_and_back(x, read_cport_status, [](auto& y) { return encode(7, y); });
  there_and_back(x, read_error, [](auto& y) {
    hold(!to_string(y).empty(), "an error has words");
    return encode(7, y);
  });
  there_and_back(x, read_config, [](auto& y) { return encode(openflow_type::set_config, 7, y); });
}

/// A message of 8 bytes is a vector of 24.
constexpr allowance of_streams{8, of_bytes.always};

/// The messages of a stream that comes in pieces, and whether it can be followed to its end.
std::pair<std::vector<bytes>, bool> cut(byte_view stream, size_t piece) {
  openflow_splitter splitter{4096};
  std::vector<bytes> out;
  bool whole = true;
  for (size_t at = 0; whole && at < stream.size(); at += piece) {
    whole = bool{splitter.add(stream.part(at, piece))};
    hold(splitter.held() <= 4096, "no more than one message is held");
    while (auto x = splitter.next())
      out.push_back(std::move(*x));
  }
  return {std::move(out), whole};
}

} // namespace

QNFV_FUZZER(data, size) {
  parts in{data, size};
  size_t piece = 1 + in.byte();
  auto stream = in.rest();
  auto at_once = bounded(size, of_streams, [&] { return cut(stream, SIZE_MAX / 2); });
  hold(cut(stream, piece) == at_once, "the pieces of a stream do not matter");
  size_t total = 0;
  for (auto& message : at_once.first) {
    hold(bool{read_header(message)}, "every message has a header");
    hold(std::equal(message.begin(), message.end(), stream.begin() + total),
         "messages are the bytes that came");
    total += message.size();
    read_all(message);
  }
  read_all(stream);
  return 0;
}
