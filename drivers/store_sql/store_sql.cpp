#include "drivers/store_sql/store_sql.hpp"

#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace qnfv {

namespace {

constexpr int schema_version = 1;

class sqlite_session : public sql_session {
public:
  explicit sqlite_session(const std::string& file)
    : sql_(soci::sqlite3, "db=\"" + file + "\" timeout=2 synchronous=full") {
    std::string mode;
    sql_ << "pragma journal_mode = wal", soci::into(mode);
    // Taken at once and kept: a second process on the same file must not start.
    sql_ << "pragma locking_mode = exclusive", soci::into(mode);
    sql_ << "begin exclusive";
    int version = 0;
    sql_ << "pragma user_version", soci::into(version);
    if (version > schema_version)
      throw std::runtime_error("made by a later version of qnfv (schema "
                               + std::to_string(version) + ")");
    if (version == 0)
      create();
    sql_ << "commit";
  }

  void save(const image_record& x) override {
    auto kind = to_string(x.kind);
    auto size = static_cast<long long>(x.size_bytes);
    sql_ << "insert into images(name, kind, size_bytes, digest, file) values(:n, :k, :s, :d, :f) "
            "on conflict(name) do update set kind = excluded.kind, size_bytes = excluded.size_bytes, "
            "digest = excluded.digest, file = excluded.file",
      soci::use(x.image.value), soci::use(kind), soci::use(size), soci::use(x.digest),
      soci::use(x.file);
  }

  void forget(const image_id& x) override {
    sql_ << "delete from images where name = :n", soci::use(x.value);
  }

  std::vector<image_record> images() override {
    std::vector<image_record> out;
    soci::rowset<soci::row> rows =
      (sql_.prepare << "select name, kind, size_bytes, digest, file from images order by id");
    for (auto& row : rows) {
      image_record x;
      x.image = image_id{row.get<std::string>(0)};
      x.kind = parse_image_kind(row.get<std::string>(1)).value_or(image_kind::container);
      x.size_bytes = static_cast<uint64_t>(row.get<long long>(2));
      x.digest = row.get<std::string>(3);
      x.file = row.get<std::string>(4);
      out.push_back(std::move(x));
    }
    return out;
  }

  void save(const order& x) override {
    auto state = to_string(x.state);
    auto code = to_string(x.code);
    auto transfer = to_string(x.transfer);
    auto key = to_string(x.key);
    auto size = static_cast<long long>(x.size_bytes);
    auto sent = static_cast<long long>(x.sent_bytes);
    sql_ << "insert into orders(name, image, site, state, code, reason, transfer, key, size_bytes, "
            "sent_bytes, digest, site_digest, vnf, stream_s, total_s, trace) values(:a, :b, :c, :d, "
            ":e, :f, :g, :h, :i, :j, :k, :l, :m, :n, :o, :p) on conflict(name) do update set "
            "image = excluded.image, site = excluded.site, state = excluded.state, "
            "code = excluded.code, reason = excluded.reason, transfer = excluded.transfer, "
            "key = excluded.key, size_bytes = excluded.size_bytes, "
            "sent_bytes = excluded.sent_bytes, digest = excluded.digest, "
            "site_digest = excluded.site_digest, vnf = excluded.vnf, "
            "stream_s = excluded.stream_s, total_s = excluded.total_s, trace = excluded.trace",
      soci::use(x.id.value), soci::use(x.image.value), soci::use(x.site.value), soci::use(state),
      soci::use(code), soci::use(x.reason), soci::use(transfer), soci::use(key), soci::use(size),
      soci::use(sent), soci::use(x.digest), soci::use(x.site_digest), soci::use(x.vnf.value),
      soci::use(x.stream_s), soci::use(x.total_s), soci::use(x.trace);
  }

  std::vector<order> orders() override {
    std::vector<order> out;
    soci::rowset<soci::row> rows =
      (sql_.prepare << "select name, image, site, state, code, reason, transfer, key, size_bytes, "
                       "sent_bytes, digest, site_digest, vnf, stream_s, total_s, trace from orders "
                       "order by id");
    for (auto& row : rows) {
      order x;
      x.id = order_id{row.get<std::string>(0)};
      x.image = image_id{row.get<std::string>(1)};
      x.site = site_id{row.get<std::string>(2)};
      x.state = state_named(row.get<std::string>(3));
      x.code = code_named(row.get<std::string>(4));
      x.reason = row.get<std::string>(5);
      x.transfer.value = parse_uuid(row.get<std::string>(6)).value_or(x.transfer.value);
      x.key.value = parse_uuid(row.get<std::string>(7)).value_or(x.key.value);
      x.size_bytes = static_cast<uint64_t>(row.get<long long>(8));
      x.sent_bytes = static_cast<uint64_t>(row.get<long long>(9));
      x.digest = row.get<std::string>(10);
      x.site_digest = row.get<std::string>(11);
      x.vnf = vnf_id{row.get<std::string>(12)};
      x.stream_s = row.get<double>(13);
      x.total_s = row.get<double>(14);
      x.trace = row.get<std::string>(15);
      out.push_back(std::move(x));
    }
    return out;
  }

private:
  void create() {
    sql_ << "create table images(id integer primary key, name text not null unique, kind text not "
            "null, size_bytes bigint not null, digest text not null, file text not null)";
    sql_ << "create table orders(id integer primary key, name text not null unique, image text not "
            "null, site text not null, state text not null, code text not null, reason text not "
            "null, transfer text not null, key text not null, size_bytes bigint not null, sent_bytes "
            "bigint not null, digest text not null, site_digest text not null, vnf text not null, "
            "stream_s double not null, total_s double not null, trace text not null)";
    sql_ << "pragma user_version = " + std::to_string(schema_version);
  }

  /// A state that this version does not know ends the order rather than the store.
  static order_state state_named(const std::string& text) {
    for (size_t i = 0; i < order_state_count; ++i)
      if (to_string(static_cast<order_state>(i)) == text)
        return static_cast<order_state>(i);
    return order_state::failed;
  }

  static ec code_named(const std::string& text) {
    for (uint8_t i = 0; i < ec_count; ++i)
      if (to_string(static_cast<ec>(i)) == text)
        return static_cast<ec>(i);
    return ec::internal;
  }

  soci::session sql_;
};

/// Does it, or says why not.
template <class F>
auto attempt(F f) -> caf::result<decltype(f())> {
  try {
    return f();
  } catch (const std::exception& why) {
    return fail(ec::storage_failed, std::string{"database: "} + why.what());
  }
}

} // namespace

result<std::shared_ptr<sql_session>> open_store(const std::string& file) {
  // SQLite would make it readable for everybody.
  auto fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0)
    return {ec::storage_failed, file + ": " + std::strerror(errno)};
  ::close(fd);
  try {
    return std::shared_ptr<sql_session>{std::make_shared<sqlite_session>(file)};
  } catch (const std::exception& why) {
    return {ec::storage_failed, file + ": " + why.what()};
  }
}

store_actor::behavior_type store_sql(stateful<store_actor, store_sql_state>* self,
                                     store_sql_config config) {
  self->state.config = std::move(config);
  auto session = self->state.config.session;
  return {
    [session](const save_image& x) {
      return attempt([&] {
        session->save(x.record);
        return accepted{};
      });
    },
    [session](const forget_image& x) {
      return attempt([&] {
        session->forget(x.image);
        return accepted{};
      });
    },
    [session](const load_images&) { return attempt([&] { return image_list{session->images()}; }); },
    [session](const save_order& x) {
      return attempt([&] {
        session->save(x.value);
        return accepted{};
      });
    },
    [session](const load_orders&) { return attempt([&] { return order_list{session->orders()}; }); },
  };
}

} // namespace qnfv
