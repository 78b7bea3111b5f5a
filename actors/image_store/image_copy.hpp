#pragma once

#include "runtime/base/result.hpp"
#include "runtime/storage/storage.hpp"

#include <string>

namespace qnfv {

struct image_copy {
  std::string digest; ///< SHA-256, hexadecimal.
  std::string file;   ///< "images/DIGEST"
  uint64_t size_bytes = 0;
};

/// Copies and hashes an image file into "images/DIGEST", by way of "images/`name`.part". Durable when
/// it answers; leaves nothing behind when it fails. Takes as long as the disk does: for an I/O thread.
/// Failures: storage_failed, invalid_argument (empty or larger than `bytes_max`).
result<image_copy> copy_image(storage& files, const std::string& from, const std::string& name,
                              uint64_t bytes_max);

} // namespace qnfv
