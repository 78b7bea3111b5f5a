#include "tools/face/json_out.hpp"
#include "tools/face/progress.hpp"
#include "tools/qnfv/commands.hpp"
#include "tools/qnfv/deploy_files.hpp"
#include "tools/qnfv/host_work.hpp"
#include "tools/qnfv/operator_session.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <thread>

namespace qnfv {

namespace {

using namespace std::chrono_literals;

struct image_choice {
  std::string image;
  std::string file;
  std::string kind;
  std::string site;
  bool detach = false;
};

void check_name(const std::string& name) {
  if (!valid_name(name))
    throw command_error{{ec::invalid_argument,
                         "\"" + name + "\" is no name for an image: letters, digits, . _ - only, "
                                       "at most 64, beginning with a letter or digit"}};
}

/// A tar archive is a container image; anything else is a disk.
image_kind kind_of_file(const std::string& path) {
  auto fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0)
    throw command_error{{ec::storage_failed, path + ": " + std::strerror(errno)}};
  char head[512] = {};
  auto n = ::read(fd, head, sizeof head);
  auto why = std::string{std::strerror(errno)};
  ::close(fd);
  if (n < 0)
    throw command_error{{ec::storage_failed, path + ": " + why}};
  return n >= 262 && std::memcmp(head + 257, "ustar", 5) == 0 ? image_kind::container
                                                              : image_kind::disk;
}

lab_dir the_lab(const command_settings& settings) {
  return value_or_throw(find_lab(settings.lab));
}

topology the_network(const lab_dir& lab) {
  return value_or_throw(load_topology(lab.topology()));
}

void add(const image_choice& x, const command_settings& settings) {
  check_name(x.image);
  auto kind = x.kind.empty() ? std::nullopt : parse_image_kind(x.kind);
  auto lab = the_lab(settings);
  auto network = the_network(lab);
  auto& home = network.orchestrator();
  auto far = is_deployed(lab) && !process_of(lab.pid(home.site));
  auto path = x.file;
  std::optional<visiting_file> sent;
  char absolute[4096];
  if (::realpath(x.file.c_str(), absolute)) {
    path = absolute;
    if (!kind)
      kind = kind_of_file(path);
    if (far)
      path = sent.emplace(network, home, path).path();
  } else if (errno != ENOENT || !far || path.front() != '/' || !kind) {
    throw command_error{{ec::storage_failed,
                         path + ": " + std::strerror(errno)
                           + (far ? " (of a file that " + home.site.value + "'s host has, say the whole path and the --kind)"
                                  : "")}};
  }
  operator_session session{lab, network};
  auto record =
    session.ask<image_record>(session.image_store(), add_image{image_id{x.image}, *kind, path}, 1h);
  if (settings.json)
    std::printf("%s\n", to_json(record).c_str());
  else
    std::printf("added %s: %s image, %s\nsha256 %s\n", record.image.value.c_str(),
                to_string(record.kind).c_str(), format_bytes(record.size_bytes).c_str(),
                record.digest.c_str());
}

void list(const command_settings& settings) {
  auto lab = the_lab(settings);
  operator_session session{lab, the_network(lab)};
  auto images = session.ask<image_list>(session.image_store(), list_images{});
  std::printf("%s\n", settings.json ? to_json(images).c_str()
                                    : render(images, face_settings_of(stdout)).c_str());
}

/// Follows an order to its end and shows how it goes.
order follow(operator_session& session, order x, const command_settings& settings) {
  progress_line line{x.image.value + " -> " + x.site.value, ::isatty(1) != 0 && !settings.json};
  while (!is_final(x.state)) {
    std::this_thread::sleep_for(100ms);
    x = session.ask<order>(session.orchestrator(), order_query{x.id});
    if (!settings.json)
      line.show(x, std::chrono::steady_clock::now());
  }
  if (!settings.json)
    line.end();
  return x;
}

void push(const image_choice& choice, const command_settings& settings) {
  auto lab = the_lab(settings);
  operator_session session{lab, the_network(lab)};
  auto x = session.ask<order>(session.orchestrator(),
                              deliver_image{image_id{choice.image}, site_id{choice.site}});
  if (!choice.detach)
    x = follow(session, x, settings);
  if (settings.json)
    std::printf("%s\n", to_json(x).c_str());
  else if (choice.detach)
    std::printf("%s accepted; follow it with: qnfv order show %s\n", x.id.value.c_str(),
                x.id.value.c_str());
  else if (x.state == order_state::running)
    std::printf("%s: %s runs as %s at %s\n  key %s, %s in %s (%.0f MB/s), total %s\n  sha256 %s\n",
                x.id.value.c_str(), x.image.value.c_str(), x.vnf.value.c_str(), x.site.value.c_str(),
                to_string(x.key).c_str(), format_bytes(x.size_bytes).c_str(),
                format_duration(from_seconds(x.stream_s)).c_str(),
                x.stream_s > 0 ? static_cast<double>(x.size_bytes) / 1e6 / x.stream_s : 0.0,
                format_duration(from_seconds(x.total_s)).c_str(), x.site_digest.c_str());
  if (is_final(x.state) && x.state != order_state::running)
    throw command_error{{x.code, x.id.value + " " + to_string(x.state) + ": " + x.reason}};
}

void remove(const image_choice& x, const command_settings& settings) {
  auto lab = the_lab(settings);
  operator_session session{lab, the_network(lab)};
  session.ask<accepted>(session.image_store(), remove_image{image_id{x.image}});
  std::printf(settings.json ? "{\"removed\":\"%s\"}\n" : "removed %s\n", x.image.c_str());
}

void list_orders_of(const command_settings& settings) {
  auto lab = the_lab(settings);
  operator_session session{lab, the_network(lab)};
  auto orders = session.ask<order_list>(session.orchestrator(), list_orders{});
  std::printf("%s\n", settings.json ? to_json(orders).c_str()
                                    : render(orders, face_settings_of(stdout)).c_str());
}

template <class Question>
void one_order(const std::string& id, const command_settings& settings) {
  auto lab = the_lab(settings);
  operator_session session{lab, the_network(lab)};
  auto x = session.ask<order>(session.orchestrator(), Question{order_id{id}});
  order_list just_this;
  just_this.orders.push_back(x);
  std::printf("%s\n", settings.json ? to_json(x).c_str()
                                    : render(just_this, face_settings_of(stdout)).c_str());
}

} // namespace

void add_image_commands(CLI::App& app, command_settings& settings) {
  auto x = std::make_shared<image_choice>();
  auto* image = app.add_subcommand("image", "The orchestrator's catalogue, and deliveries from it");
  image->require_subcommand(1);
  auto* add_command = image->add_subcommand("add", "Copy an image file into the catalogue");
  add_command->add_option("name", x->image, "Name in the catalogue")->required();
  add_command->add_option("file", x->file, "File; a deployed lab's orchestrator is sent it, or has it")->required();
  add_command->add_option("--kind", x->kind, "container (docker save) or disk (qcow2, raw); default: look")
    ->check(CLI::IsMember({"container", "disk"}));
  add_command->footer("Example:  qnfv image add firewall ./firewall.tar");
  add_command->callback([x, &settings] { add(*x, settings); });
  auto* list_command = image->add_subcommand("list", "What the catalogue holds");
  list_command->footer("Example:  qnfv image list");
  list_command->callback([&settings] { list(settings); });
  auto* push_command = image->add_subcommand("push", "Bring an image to a data centre and start it there");
  push_command->add_option("name", x->image, "Image of the catalogue")->required();
  push_command->add_option("site", x->site, "Data centre")->required();
  push_command->add_flag("--detach", x->detach, "Do not wait for the end");
  push_command->footer("Example:  qnfv image push firewall dc1");
  push_command->callback([x, &settings] { push(*x, settings); });
  auto* remove_command = image->add_subcommand("remove", "Take an image out of the catalogue");
  remove_command->add_option("name", x->image, "Image of the catalogue")->required();
  remove_command->footer("Example:  qnfv image remove firewall");
  remove_command->callback([x, &settings] { remove(*x, settings); });
}

void add_order_commands(CLI::App& app, command_settings& settings) {
  auto id = std::make_shared<std::string>();
  auto* orders = app.add_subcommand("order", "Deliveries, under way and ended");
  orders->require_subcommand(1);
  auto* list_command = orders->add_subcommand("list", "All orders the orchestrator remembers");
  list_command->footer("Example:  qnfv order list");
  list_command->callback([&settings] { list_orders_of(settings); });
  auto* show_command = orders->add_subcommand("show", "One order: its state and the reason for it");
  show_command->add_option("order", *id, "order-N")->required();
  show_command->footer("Example:  qnfv order show order-3");
  show_command->callback([id, &settings] { one_order<order_query>(*id, settings); });
  auto* cancel_command = orders->add_subcommand("cancel", "End an order; nothing is left of it");
  cancel_command->add_option("order", *id, "order-N")->required();
  cancel_command->footer("Example:  qnfv order cancel order-3");
  cancel_command->callback([id, &settings] { one_order<cancel_order>(*id, settings); });
}

} // namespace qnfv
