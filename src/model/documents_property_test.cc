// What is written is read back the same, for every type, with values drawn by the types' own
// tables.
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "model/documents.h"
#include "model/json_schema.h"
#include "model/requests.h"
#include "model/types.h"

namespace blixard::model {
namespace {

using json::Field;
using json::Kind;
using json::Type;

std::string draw_text() {
    static const std::vector<std::string> pieces = {
        "a",  "Z9", "\"", "\\", "/", "\n", "\x1f", "\x7f", "\xC3\xA9", "\xF0\x9F\xA6\x8E",
        "{}", ":",  " "};
    std::string text;
    for (const int i :
         *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, int(pieces.size()))))
        text += pieces[std::size_t(i)];
    return text;
}

void draw_object(const Type& type, void* object, int depth);

int draw_count() { return *rc::gen::inRange(0, 3); }

void draw_member(const Field& field, void* member, int depth) {
    switch (field.kind) {
        case Kind::kBool: *static_cast<bool*>(member) = *rc::gen::arbitrary<bool>(); return;
        case Kind::kInt:
            *static_cast<std::int64_t*>(member) = *rc::gen::arbitrary<std::int64_t>();
            return;
        case Kind::kDouble:
            *static_cast<double*>(member) = *rc::gen::inRange(-1000000, 1000000) / 7.0;
            return;
        case Kind::kString: *static_cast<std::string*>(member) = draw_text(); return;
        case Kind::kShort:
            if (const std::string text = draw_text(); text.size() <= ShortText::kBytesMax)
                *static_cast<ShortText*>(member) = text;
            return;
        case Kind::kEnum:
            *static_cast<std::uint8_t*>(member) =
                std::uint8_t(*rc::gen::inRange(0, int(field.names.size())));
            return;
        case Kind::kStrings:
            for (int i = draw_count(); i > 0; --i)
                static_cast<std::vector<std::string>*>(member)->push_back(draw_text());
            return;
        case Kind::kInts:
            for (int i = draw_count(); i > 0; --i)
                static_cast<std::vector<std::int64_t>*>(member)->push_back(
                    *rc::gen::arbitrary<std::int64_t>());
            return;
        case Kind::kMap:
            for (int i = draw_count(); i > 0; --i)
                (*static_cast<std::map<std::string, std::string>*>(member))[draw_text()] =
                    draw_text();
            return;
        case Kind::kObject: draw_object(field.type(), member, depth + 1); return;
        case Kind::kOptional:
            if (*rc::gen::arbitrary<bool>())
                draw_object(field.type(), field.items->append(member), depth + 1);
            return;
        case Kind::kObjects:
            for (int i = draw_count(); i > 0; --i)
                draw_object(field.type(), field.items->append(member), depth + 1);
            return;
        case Kind::kJson:
            if (*rc::gen::arbitrary<bool>())
                *static_cast<std::string*>(member) = R"({"score":1.5,"refused":{"a":[]}})";
            return;
    }
}

void draw_object(const Type& type, void* object, int depth) {
    for (const Field& field : type.fields) draw_member(field, field.of(object), depth);
}

// The quick reader says nothing, or what the other one says.
template <class T>
void quick_reader_agrees(const std::string& text) {
    T quick, thorough;
    if (!json::parse_written(json::type_of<T>(), text, &quick)) return;
    RC_ASSERT(json::parse_object(json::type_of<T>(), text, Mode::kStrict, &thorough).has_value());
    RC_ASSERT(quick == thorough);
}

template <class T>
void reads_back() {
    T value;
    draw_object(json::type_of<T>(), &value, 0);
    const std::string text = to_json(value);
    quick_reader_agrees<T>(text);
    const auto strict = parse_as<T>(text, Mode::kStrict);
    if (!strict) RC_FAIL(describe(strict.error()) + ": " + text);
    RC_ASSERT(*strict == value);

    std::string newer = text;
    newer.back() = newer == "{}" ? ' ' : ',';
    if (newer == "{ ") newer = "{";
    newer += R"("x-newer":{"deep":[true,{"a":-1}]}})";
    RC_ASSERT(!parse_as<T>(newer, Mode::kStrict));
    const auto lenient = parse_as<T>(newer, Mode::kLenient);
    RC_ASSERT(lenient.has_value());
    RC_ASSERT(to_json(*lenient) == newer);
}

RC_GTEST_PROP(DocumentsProperty, a_vm_record_reads_back, ()) { reads_back<VmRecord>(); }
RC_GTEST_PROP(DocumentsProperty, a_placement_reads_back, ()) { reads_back<Placement>(); }
RC_GTEST_PROP(DocumentsProperty, a_vm_status_reads_back, ()) { reads_back<VmStatus>(); }
RC_GTEST_PROP(DocumentsProperty, a_node_spec_reads_back, ()) { reads_back<NodeSpec>(); }
RC_GTEST_PROP(DocumentsProperty, a_node_status_reads_back, ()) { reads_back<NodeStatus>(); }
RC_GTEST_PROP(DocumentsProperty, a_node_lease_reads_back, ()) { reads_back<NodeLease>(); }
RC_GTEST_PROP(DocumentsProperty, an_image_reads_back, ()) { reads_back<Image>(); }
RC_GTEST_PROP(DocumentsProperty, a_volume_record_reads_back, ()) { reads_back<VolumeRecord>(); }
RC_GTEST_PROP(DocumentsProperty, a_volume_status_reads_back, ()) { reads_back<VolumeStatus>(); }
RC_GTEST_PROP(DocumentsProperty, a_project_reads_back, ()) { reads_back<Project>(); }
RC_GTEST_PROP(DocumentsProperty, an_operation_reads_back, ()) { reads_back<Operation>(); }
RC_GTEST_PROP(DocumentsProperty, a_failover_reads_back, ()) { reads_back<Failover>(); }
RC_GTEST_PROP(DocumentsProperty, an_image_create_reads_back, ()) { reads_back<ImageCreate>(); }
RC_GTEST_PROP(DocumentsProperty, a_node_change_reads_back, ()) { reads_back<NodeChange>(); }

// How many members a struct has: the most initialisers that its braces take.
struct Anything {
    template <class T>
        requires(!std::same_as<T, std::string_view>)  // a ShortText is made of what converts to one
    operator T() const;
};
template <class T, class... Values>
constexpr std::size_t member_count(Values... values) {
    if constexpr (requires { T{values..., Anything{}}; })
        return member_count<T>(values..., Anything{});
    else
        return sizeof...(values);
}

template <class... T>
void every_member_stands_in_its_table() {
    (
        [] {
            const Type& type = json::type_of<T>();
            EXPECT_EQ(type.fields.size() + 1, member_count<T>()) << type.name;  // and the extras
            EXPECT_LE(type.fields.size(), 64u)
                << type.name << ": the reader counts members in one word";
        }(),
        ...);
}

TEST(DocumentTables, every_member_of_every_type_stands_in_its_table) {
    every_member_stands_in_its_table<Disk, PortForward, Nic, CloudInit, HealthCheck, AffinityRule,
                                     DeviceRequest, Constraints, VmSpec, VmRecord, Placement,
                                     Address, VmStatus>();
    every_member_stands_in_its_table<NodeSpec, NumaNode, Device, NodeStatus, NodeLease, ImageFile,
                                     Image, VolumeRecord, VolumeStatus, Quota, Project, Operation,
                                     Failover>();
    every_member_stands_in_its_table<VmCreate, VmChange, NodeSettings, NodeChange, ImageFileRef,
                                     ImageCreate, VolumeCreate, VolumeChange, ProjectCreate,
                                     ProjectChange>();
}

}  // namespace
}  // namespace blixard::model
