#include "controller/company.h"

#include <gtest/gtest.h>

namespace blixard::controller {
namespace {

std::shared_ptr<view::Part<model::VmRecord>> record_with(const char* label, const char* value) {
    auto record = std::make_shared<view::Part<model::VmRecord>>();
    record->value.spec.labels[label] = value;
    return record;
}

// A VM "web" of tier "front", whose record is `record`, and one "db" of tier "data".
struct Company : testing::Test {
    Company() {
        db.key = "default/db";
        web.key = "default/web";
        db.project_size = web.project_size = 7;
        db.record = record_with("tier", "data");
        web.record = record;
    }
    const std::shared_ptr<view::Part<model::VmRecord>> record = record_with("tier", "front");
    view::VmEntry db, web;
};

TEST_F(Company, only_a_hard_rule_to_be_together_needs_company) {
    EXPECT_FALSE(needs_company(web));
    model::AffinityRule rule{.hard = true, .labels = {{"tier", "data"}}};
    record->value.spec.affinity = {rule};
    EXPECT_TRUE(needs_company(web));
    EXPECT_TRUE(must_be_with(web, db));
    EXPECT_FALSE(must_be_with(db, web)) << "the rule is the other's";
    EXPECT_FALSE(must_be_with(web, web));
    rule.anti = true;
    record->value.spec.affinity = {rule};
    EXPECT_FALSE(needs_company(web));
    record->value.spec.affinity = {{.hard = true, .vm = "db"}};
    EXPECT_TRUE(must_be_with(web, db));
}

TEST_F(Company, a_hard_rule_by_zone_keeps_both_apart_whoever_has_it) {
    EXPECT_FALSE(keep_apart(web, db));
    record->value.spec.affinity = {
        {.anti = true, .hard = true, .labels = {{"tier", "data"}}, .domain = "zone"}};
    EXPECT_TRUE(keep_apart(web, db));
    EXPECT_TRUE(keep_apart(db, web));
    EXPECT_FALSE(keep_apart(web, web));
    for (const char* host : {"", "node"}) {
        record->value.spec.affinity.front().domain = host;
        EXPECT_FALSE(keep_apart(web, db)) << "nobody is placed on a lost host";
    }
    record->value.spec.affinity.front() = {
        .anti = true, .hard = false, .labels = {{"tier", "data"}}, .domain = "zone"};
    EXPECT_FALSE(keep_apart(web, db)) << "a wish";
}

TEST_F(Company, a_third_vms_rule_counts_those_that_it_speaks_of) {
    view::VmEntry other;
    other.key = "default/db-2";
    other.project_size = 7;
    other.record = record_with("tier", "data");
    EXPECT_FALSE(counts_both(web, db, other));
    record->value.spec.affinity = {
        {.anti = true, .hard = true, .labels = {{"tier", "data"}}, .domain = "zone"}};
    EXPECT_TRUE(counts_both(web, db, other));
    EXPECT_FALSE(counts_both(web, db, web)) << "its own counting is keep_apart()'s";
    record->value.spec.affinity.front().labels = {{"tier", "front"}};
    EXPECT_FALSE(counts_both(web, db, other));
}

}  // namespace
}  // namespace blixard::controller
