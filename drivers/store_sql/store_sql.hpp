#pragma once

#include "runtime/messages/images.hpp"
#include "runtime/system/actor.hpp"

#include <memory>
#include <string>

namespace qnfv {

/// One open database. Used by one actor at a time.
class sql_session {
public:
  virtual ~sql_session() = default;
  // Each throws std::exception with the database's own words.
  virtual void save(const image_record&) = 0;
  virtual void forget(const image_id&) = 0;
  virtual std::vector<image_record> images() = 0;
  virtual void save(const order&) = 0;
  virtual std::vector<order> orders() = 0;
};

/// Opens or creates an SQLite database (WAL, every commit synced, mode 0600). Never key bits in it:
/// orders name keys by id. Failure: storage_failed (cannot open, locked by another process, made by
/// a later version).
result<std::shared_ptr<sql_session>> open_store(const std::string& file);

struct store_sql_config {
  std::shared_ptr<sql_session> session;
};

struct store_sql_state {
  static inline const char* name = "store";
  store_sql_config config;
};

/// The STORE driver over SQL (SOCI).
store_actor::behavior_type store_sql(stateful<store_actor, store_sql_state>* self,
                                     store_sql_config config);

} // namespace qnfv
