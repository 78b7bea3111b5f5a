#pragma once

// ETSI GS QKD 014 v1.1.1 (2019-02), REST key delivery, as a client of a key management entity (KME)
// of another make sees it: strict in what becomes a key, tolerant in everything that differs
// between makes. Tables and clauses are those of the standard.
//
// Pure: text in, value or verdict out. Key bits stay in secret memory.

#include "drivers/qkd_drawn/drawn_keys.hpp"

#include <string>
#include <vector>

namespace qnfv {

/// Of a Status (table 9) what a client needs. What a KME leaves out has these values.
struct kme_status {
  uint32_t stored_keys = UINT32_MAX; ///< stored_key_count
  uint32_t keys_per_request = 1;     ///< max_key_per_request
  uint32_t key_bits_min = key_bits;  ///< min_key_size
  uint32_t key_bits_max = key_bits;  ///< max_key_size

  bool has_our_size() const { return key_bits_min <= key_bits && key_bits <= key_bits_max; }
};

/// Unknown members are ignored. Errors: device_failed (no JSON object, a number that is none).
result<kme_status> parse_kme_status(const secret& body);

/// A Key container (table 11) of keys of 256 bits; its list may be called "keys", as in the
/// examples, or "Keys", as in the table. All or none. Errors: device_failed (no JSON, no list, more
/// than `keys_max` keys, a name or bits that are none, another size, a key that is there twice);
/// the text quotes nothing of the body.
result<std::vector<drawn_key>> parse_key_container(secret body, size_t keys_max);

/// What a KME says about a refusal, for people: the member "message" (table 15), "detail" or
/// "error" of a JSON object, else nothing. At most 200 printable characters.
std::string kme_message(const secret& body);

/// "/api/v1/keys/SAE/enc_keys", the SAE's name percent-encoded (RFC 3986).
std::string kme_path(const std::string& sae, const std::string& method);

/// {"number":3,"size":256}
std::string enc_keys_body(uint32_t number);
/// {"key_IDs":[{"key_ID":"..."}]}
std::string dec_keys_body(const std::vector<std::string>& names);

} // namespace qnfv
