#include "actors/key_pool/journal_store.hpp"

#include <algorithm>
#include <sstream>

namespace qnfv {

namespace {

using exposures = std::map<uint32_t, std::vector<site_id>>;

std::string file_of(const link_id& link, const char* ending) {
  auto name = link.value;
  std::replace(name.begin(), name.end(), '/', '-');
  return "keys/" + name + ending;
}

std::string exposures_path(const link_id& link) {
  return file_of(link, ".exposed");
}

/// One line a session: its number and the trusted nodes that saw its keys.
std::string text_of(const exposures& x) {
  std::string out;
  for (auto& [session, nodes] : x) {
    out += std::to_string(session);
    for (auto& node : nodes)
      out += " " + node.value;
    out += "\n";
  }
  return out;
}

result<exposures> load_exposures(const storage& files, const link_id& link) {
  auto path = exposures_path(link);
  exposures out;
  auto names = files.list("keys");
  if (std::find(names.begin(), names.end(), path.substr(5)) == names.end())
    return out;
  auto content = files.load(path, 16u << 20);
  if (!content)
    return content.error();
  std::istringstream lines{std::string{content->begin(), content->end()}};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words{line};
    uint32_t session = 0;
    if (!(words >> session))
      return {ec::bad_config, path + ": not a session and its trusted nodes: " + line};
    for (std::string node; words >> node;) {
      if (!valid_name(node))
        return {ec::bad_config, path + ": no site is named so: " + node};
      out[session].push_back(site_id{node});
    }
  }
  return out;
}

class journal_store : public key_store, public std::enable_shared_from_this<journal_store> {
public:
  journal_store(journal_settings s, journal_site site, std::unique_ptr<journal> file,
                std::map<uint32_t, std::vector<site_id>> exposures)
    : link_(s.link.value), exposures_path_(exposures_path(s.link)), site_(std::move(site)),
      journal_(std::move(file)), exposures_(std::move(exposures)) {}

  key_memory recall() override {
    auto out = journal_->take_memory();
    out.exposures = exposures_;
    std::string text = "generation " + std::to_string(out.mine.generation) + ", "
                       + std::to_string(out.live.size()) + " keys";
    record("opened", "", text);
    if (out.damaged > 0)
      record("destroyed", "", std::to_string(out.damaged) + " slots of the journal are damaged");
    auto found = site_.audit->found(link_);
    audited_ = found;
    last_change_ = std::max(found, journal_->last_change());
    if (journal_->audited_change() > found)
      record("alarm", "", "the audit trail was cut: it ends before change "
                            + std::to_string(journal_->audited_change()) + " of the key journal");
    // The journal is written first, and nobody is told before both are. A change without its record
    // was told to nobody.
    for (auto& key : journal_->take_unaudited(found)) {
      auto ended = rank_of(key.state) == 4;
      if (ended)
        out.given_up.push_back(key.id);
      journal_->put_change(key.id, record(ended ? "destroyed" : "assigned", to_string(key.id),
                                          "recorded at the next start"));
    }
    return out;
  }

  status put_key(const key_record& key, byte_view bits) override {
    return journal_->put_key(key, bits);
  }

  void put_state(const key_record& key, key_event event, const std::string& why) override {
    const char* name = event == key_event::assign    ? "assigned"
                       : event == key_event::consume ? "delivered"
                       : event == key_event::spend   ? "spent"
                       : event == key_event::destroy ? "destroyed"
                                                     : nullptr;
    journal_->put_state(key, name ? record(name, to_string(key.id), why) : 0);
  }

  result<secret> bits(const key_id& key) const override { return journal_->bits(key); }
  void put_peer(const store_mark& peer) override { journal_->put_peer(peer); }
  void put_secret_issue(uint32_t issue) override { journal_->put_secret_issue(issue); }
  void put_rolled_back(bool yes) override {
    record("alarm", "", yes ? "the store was rolled back" : "rolled back store accepted by operator");
    journal_->put_rolled_back(yes);
  }

  void put_exposure(uint32_t session, const std::vector<site_id>& nodes) override {
    exposures_[session] = nodes;
    exposures_changed_ = true;
  }

  void commit(std::function<void(const status&)> then) override {
    if (failed_)
      return then(*failed_);
    waiting_.push_back(std::move(then));
    if (!busy_)
      write();
  }

private:
  /// Returns the change's number; 0 if it is not about a key.
  uint64_t record(const char* event, std::string key, const std::string& text) {
    auto change = key.empty() ? 0 : ++last_change_;
    events_.push_back({site_.clock->unix_ns(), event, link_, std::move(key), text, change});
    return change;
  }

  void write() {
    busy_ = true;
    auto callers = std::make_shared<std::vector<std::function<void(const status&)>>>(
      std::exchange(waiting_, {}));
    auto batch = std::make_shared<journal_batch>(journal_->take_batch(audited_));
    auto events = std::make_shared<std::vector<audit_event>>(std::exchange(events_, {}));
    auto change = last_change_;
    auto exposures = std::exchange(exposures_changed_, false) ? text_of(exposures_) : std::string{};
    // The pool may be gone when the disk is done; the file must not be.
    site_.on_disk([self = shared_from_this(), batch, callers, exposures, events, change] {
      status ok = done{};
      if (!exposures.empty()) // Before the first key that they are about.
        ok = self->site_.files->replace(self->exposures_path_, byte_view{std::string_view{exposures}});
      if (ok)
        ok = self->journal_->write(*batch);
      if (ok) {
        for (auto& x : *events)
          self->site_.audit->append(x);
        ok = self->site_.audit->flush();
      }
      self->site_.on_actor([weak = std::weak_ptr<journal_store>(self), ok, callers, change] {
        if (auto me = weak.lock())
          me->written(ok, *callers, change);
      });
    });
  }

  void written(const status& ok, std::vector<std::function<void(const status&)>>& callers,
               uint64_t change) {
    audited_ = ok ? change : audited_;
    if (!ok) {
      failed_ = ok;
      callers.insert(callers.end(), waiting_.begin(), waiting_.end());
      waiting_.clear();
    }
    for (auto& then : callers)
      then(ok); // What they commit joins one write.
    busy_ = false;
    if (!waiting_.empty() && !failed_)
      write();
  }

  std::string link_;
  std::string exposures_path_;
  journal_site site_;
  std::unique_ptr<journal> journal_;
  std::map<uint32_t, std::vector<site_id>> exposures_;
  bool exposures_changed_ = false;
  std::vector<audit_event> events_; ///< Recorded since the last write began.
  uint64_t last_change_ = 0;
  uint64_t audited_ = 0; ///< The last change that is in the trail.
  std::vector<std::function<void(const status&)>> waiting_;
  bool busy_ = false;
  std::optional<status> failed_;
};

/// A pool owns its store; a write under way shares it.
class shared_store : public key_store {
public:
  explicit shared_store(std::shared_ptr<journal_store> x) : x_(std::move(x)) {}
  key_memory recall() override { return x_->recall(); }
  status put_key(const key_record& key, byte_view bits) override { return x_->put_key(key, bits); }
  void put_state(const key_record& key, key_event event, const std::string& why) override {
    x_->put_state(key, event, why);
  }
  result<secret> bits(const key_id& key) const override { return x_->bits(key); }
  void put_peer(const store_mark& peer) override { x_->put_peer(peer); }
  void put_secret_issue(uint32_t issue) override { x_->put_secret_issue(issue); }
  void put_rolled_back(bool yes) override { x_->put_rolled_back(yes); }
  void put_exposure(uint32_t session, const std::vector<site_id>& nodes) override {
    x_->put_exposure(session, nodes);
  }
  void commit(std::function<void(const status&)> then) override { x_->commit(std::move(then)); }

private:
  std::shared_ptr<journal_store> x_;
};

} // namespace

std::string journal_path(const link_id& link) {
  return file_of(link, ".journal");
}

result<std::unique_ptr<key_store>> open_journal_store(journal_settings s, journal_site site) {
  auto file = journal::open(*site.files, journal_path(s.link), s, *site.random);
  if (!file)
    return file.error();
  auto exposed = load_exposures(*site.files, s.link);
  if (!exposed)
    return exposed.error();
  auto store = std::make_shared<journal_store>(std::move(s), std::move(site), std::move(*file),
                                               std::move(*exposed));
  return std::unique_ptr<key_store>{std::make_unique<shared_store>(std::move(store))};
}

} // namespace qnfv
