#pragma once

// What everybody may see of HTTP/1.x that comes in pieces: start lines, the names of known fields, the
// values of harmless ones, and of bodies what json_mask lets through. From the first byte on that is
// not understood everything is masked. Pure: it knows nothing of the other direction, so that what
// follows the answer to a HEAD is masked, too.

#include "drivers/http/json_mask.hpp"

namespace qnfv {

class http_mask {
public:
  enum class direction : uint8_t { requests, answers };

  /// `members`: of JSON bodies.
  http_mask(direction what, shown_names members) : requests_(what == direction::requests), body_(std::move(members)) {}

  shown_bytes show(byte_view piece);

private:
  enum class within : uint8_t {
    start,      ///< The first line of a message.
    name,       ///< Of a field.
    value,      ///< Of a field.
    body,       ///< `left_` bytes of it.
    endless,    ///< Of a body that ends with the connection.
    chunk_size, ///< The line before a chunk.
    chunk,      ///< `left_` bytes of it.
    chunk_end,  ///< The line end behind it.
    garbage,
  };

  enum class field : uint8_t { length, encoding, other };

  uint8_t step(uint8_t);
  uint8_t in_start(uint8_t);
  uint8_t in_name(uint8_t);
  uint8_t in_value(uint8_t);
  uint8_t in_chunk_size(uint8_t);
  uint8_t in_chunk_end(uint8_t);
  uint8_t of_body(uint8_t, within next);
  uint8_t spoilt();
  void field_ended();
  void header_ended();
  void expect_message();

  const bool requests_;
  json_mask body_;
  within within_ = within::start;
  std::string line_; ///< As much as matters of a start line, a name, a value, or a chunk's size.
  field field_ = field::other; ///< Whose value comes.
  bool shown_ = false; ///< The value that comes.
  bool trailer_ = false; ///< The fields that come follow a body.
  bool chunked_ = false;
  bool sized_ = false; ///< `left_` was announced.
  uint64_t left_ = 0;
  int status_ = 0;
};

} // namespace qnfv
