#include "model/openapi.h"

#include <gtest/gtest.h>

#include <set>

#include "model/json_dom.h"
#include "model/openapi_paths.h"

namespace blixard::model {
namespace {

using simdjson::dom::element;

// Calls `visit` with every "$ref" below `value`.
template <class Visit>
void each_reference(element value, const Visit& visit) {
    if (value.is_array())
        for (const element child : simdjson::dom::array(value)) each_reference(child, visit);
    if (!value.is_object()) return;
    for (const auto [key, child] : simdjson::dom::object(value)) {
        if (key == "$ref") visit(std::string_view(child));
        each_reference(child, visit);
    }
}

TEST(Openapi, the_page_is_clean_json_and_every_reference_resolves) {
    const std::string page = openapi_document("1.2.3");
    const auto dom = json::Dom::parse(page);
    ASSERT_TRUE(dom) << describe(dom.error());
    EXPECT_TRUE(json::check_plain(dom->root(), json::Path{})) << "a member stands twice";
    EXPECT_EQ(std::string_view(dom->root()["openapi"]), "3.1.0");
    EXPECT_EQ(std::string_view(dom->root()["info"]["version"]), "1.2.3");
    int references = 0;
    each_reference(dom->root(), [&](std::string_view reference) {
        ++references;
        ASSERT_TRUE(reference.starts_with("#/")) << reference;
        EXPECT_EQ(dom->root().at_pointer(reference.substr(1)).error(), simdjson::SUCCESS)
            << reference;
    });
    EXPECT_GT(references, 100);
}

TEST(Openapi, the_limits_of_the_tables_stand_in_the_schemas) {
    const auto dom = json::Dom::parse(openapi_document("0"));
    const element memory =
        dom->root().at_pointer("/components/schemas/VmSpec/properties/memory_mib");
    EXPECT_EQ(std::int64_t(memory["minimum"]), 16);
    EXPECT_EQ(std::int64_t(memory["maximum"]), 4194304);
    EXPECT_EQ(std::int64_t(memory["default"]), 256);
    EXPECT_FALSE(bool(dom->root().at_pointer("/components/schemas/VmSpec/additionalProperties")));
    const element phase = dom->root().at_pointer("/components/schemas/VmStatus/properties/phase");
    EXPECT_EQ(std::string_view(phase["enum"].at(0)), "pending");
    EXPECT_TRUE(bool(phase["readOnly"]));
}

TEST(Openapi, every_operation_has_a_name_of_its_own_and_declares_the_parameters_in_its_path) {
    std::set<std::string_view> ids;
    for (const Endpoint& endpoint : api_endpoints()) {
        EXPECT_TRUE(ids.insert(endpoint.id).second) << endpoint.id;
        const std::size_t open = endpoint.path.find('{');
        if (open == std::string_view::npos) continue;
        const auto parameter = endpoint.path.substr(open + 1, endpoint.path.find('}') - open - 1);
        const std::string keys = " " + std::string(endpoint.parameters) + " ";
        EXPECT_NE(keys.find(" " + std::string(parameter) + " "), std::string::npos) << endpoint.id;
    }
}

}  // namespace
}  // namespace blixard::model
