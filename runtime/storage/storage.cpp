#include "runtime/storage/storage.hpp"

namespace qnfv {

result<bytes> storage::load(const std::string& path, size_t limit) const {
  auto file = open(path);
  if (!file)
    return file.error();
  if ((*file)->size() > limit)
    return {ec::storage_failed, path + ": larger than " + std::to_string(limit) + " bytes"};
  bytes out((*file)->size());
  auto n = (*file)->read(0, out.data(), out.size());
  if (!n)
    return n.error();
  out.resize(*n);
  return out;
}

status storage::replace(const std::string& path, byte_view content) {
  auto temporary = path + ".new";
  {
    auto file = create(temporary);
    if (!file)
      return file.error();
    if (auto ok = (*file)->append(content); !ok)
      return ok;
    if (auto ok = (*file)->sync(); !ok)
      return ok;
  }
  return rename(temporary, path);
}

} // namespace qnfv
