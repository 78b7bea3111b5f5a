#include "tools/qnfv/key_files.hpp"

#include "runtime/system/random.hpp"
#include "tools/qnfv/lab_dir.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>

namespace qnfv {

namespace {

const std::string magic = "QNFVLS1\n";
constexpr size_t secret_bytes = 2048;

} // namespace

status make_seal_key(const std::string& file) {
  secret key{32};
  make_system_random()->fill(key.data(), key.size());
  return write_private_file(file, key.view());
}

result<secret> load_seal_key(const std::string& file) {
  auto key = read_private_file(file);
  if (key && key->size() != 32)
    return {ec::bad_config, file + ": a seal key has 32 bytes"};
  return key;
}

result<secret> load_password(const std::string& file) {
  auto text = read_private_file(file);
  if (!text)
    return text;
  auto size = text->size();
  while (size > 0 && (text->view()[size - 1] == '\n' || text->view()[size - 1] == '\r'))
    --size;
  if (size == 0 || size > 128)
    return {ec::bad_config, file + ": a password has 1 to 128 bytes"};
  return text->part(0, size);
}

std::string link_secret_file(const std::string& folder, const link_id& link) {
  auto name = link.value;
  std::replace(name.begin(), name.end(), '/', '-');
  return folder + "/" + name + ".secret";
}

result<uint32_t> make_link_secret(const std::string& file, bool renew) {
  uint32_t issue = 1;
  if (renew)
    if (auto old = load_link_secret(file))
      issue = old->issue + 1;
  secret content{magic.size() + 4 + secret_bytes};
  std::copy(magic.begin(), magic.end(), content.data());
  store_be32(content.data() + magic.size(), issue);
  make_system_random()->fill(content.data() + magic.size() + 4, secret_bytes);
  auto target = issue > 1 ? file + ".new" : file;
  if (auto ok = write_private_file(target, content.view()); !ok)
    return ok.error();
  if (issue > 1 && std::rename(target.c_str(), file.c_str()) != 0)
    return {ec::storage_failed, file + ": " + std::strerror(errno)};
  return issue;
}

result<link_secret> load_link_secret(const std::string& file) {
  auto raw = read_private_file(file);
  if (!raw)
    return raw.error();
  if (raw->size() != magic.size() + 4 + secret_bytes
      || std::memcmp(raw->view().data(), magic.data(), magic.size()) != 0)
    return {ec::bad_config, file + ": not a link secret of qnfv pki link-secret"};
  return link_secret{load_be32(raw->view().data() + magic.size()),
                     raw->part(magic.size() + 4, secret_bytes)};
}

} // namespace qnfv
