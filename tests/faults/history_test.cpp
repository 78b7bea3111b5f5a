// Seeds that once found something, lived again. Their plans are copies: those of config/faults change.

#include "tests/support/faulty_life.hpp"

using namespace qnfv;
using namespace qnfv::test;

TEST_CASE("what a seed once found stays mended") {
  auto folder = std::string{QNFV_SOURCE_DIR} + "/tests/faults/";
  auto file = load_json(folder + "history.json");
  INFO((file ? "" : file.error().text));
  REQUIRE(file);
  for (auto& entry : file->value["lives"].GetArray()) {
    sim_setting x;
    x.lab = lab::load(std::string{"config/topologies/"} + entry["topology"].GetString());
    x.faults = load_plan(folder + "plans/" + entry["plan"].GetString());
    x.span = *parse_duration(entry["for"].GetString());
    x.orders_per_h = entry["orders_per_h"].GetDouble();
    INFO("what it was: " << entry["was"].GetString());
    for (auto& seed : entry["seeds"].GetArray()) {
      x.seed = seed.GetUint64();
      CHECK(live_soundly(x).faults > 0);
    }
  }
}
