#pragma once

// How a data connection begins, version 2. What follows are the bytes of the channel.
//
//   offset length
//        0      4   "QVD2"
//        4     16   transfer id
//       20     16   token
//       36      1   t     bytes of the trace, 0: outside any
//       37      1   c     bytes of the cause, 0: none
//       38      t   trace   what the end that opens works for (runtime/messages/trace.hpp)
//     38+t      c   cause
//
// Version 1 was the 32 bytes of transfer id and token. Pure: bytes in, verdict out.

#include "runtime/messages/channels.hpp"

namespace qnfv {

constexpr size_t preface_head_bytes = 38;
constexpr size_t event_name_max = 64; ///< Of the name of a trace or cause.

struct preface {
  transfer_id transfer;
  channel_token token{};
  trace_context opener;
};

bytes encode(const preface&);
/// How many bytes follow these preface_head_bytes; nothing if they begin no connection of this version.
std::optional<size_t> preface_tail_bytes(byte_view head);
/// Nothing if it is not what encode() writes.
std::optional<preface> decode_preface(byte_view whole);

} // namespace qnfv
