#include "actors/image_store/image_copy.hpp"

#include "runtime/crypto/sha256.hpp"

namespace qnfv {

namespace {

result<image_copy> copy_to_part(storage& files, const std::string& from, const std::string& part,
                                uint64_t bytes_max) {
  auto in = files.open(from);
  if (!in)
    return in.error();
  if ((*in)->size() == 0 || (*in)->size() > bytes_max)
    return {ec::invalid_argument, from + ": " + std::to_string((*in)->size())
                                    + " bytes; an image has 1 to " + std::to_string(bytes_max)};
  auto out = files.create(part);
  if (!out)
    return out.error();
  sha256 hash;
  image_copy copy;
  bytes buffer(1u << 20);
  for (;;) {
    auto n = (*in)->read(copy.size_bytes, buffer.data(), buffer.size());
    if (!n)
      return n.error();
    if (*n == 0)
      break;
    byte_view piece{buffer.data(), *n};
    hash.update(piece);
    if (auto ok = (*out)->append(piece); !ok)
      return ok.error();
    copy.size_bytes += *n;
  }
  if (copy.size_bytes != (*in)->size())
    return {ec::storage_failed, from + ": changed while it was read"};
  if (auto ok = (*out)->sync(); !ok)
    return ok.error();
  copy.digest = to_hex(hash.finish());
  copy.file = "images/" + copy.digest;
  return copy;
}

} // namespace

result<image_copy> copy_image(storage& files, const std::string& from, const std::string& name,
                              uint64_t bytes_max) {
  auto part = "images/" + name + ".part";
  auto copy = copy_to_part(files, from, part, bytes_max);
  if (copy)
    if (auto ok = files.rename(part, copy->file); !ok)
      copy = ok.error();
  if (!copy)
    files.remove(part);
  return copy;
}

} // namespace qnfv
