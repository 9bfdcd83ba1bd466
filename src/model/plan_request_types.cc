// The tables of plan_requests.h.
#include "model/plan_requests.h"
#include "model/requests.h"
#include "model/types.h"
#include "model/validate.h"

#define FIELD(member, ...) field<&Self::member>(#member, __VA_ARGS__)

namespace blixard::model {
namespace json {
namespace {

constexpr Limits kName = {.length_max = kNameLengthMax, .rule = Rule::kName};
constexpr Limits kNode = {.length_max = kNameLengthMax, .rule = Rule::kName, .required = true};
constexpr std::int64_t kCpusMost = 100'000;
constexpr std::int64_t kMibMost = 1'000'000'000;
constexpr std::size_t kNodesMost = 1'000;
constexpr std::int64_t kAddMost = 1'000;      // hosts in one question
constexpr std::int64_t kLaunchMost = 10'000;  // VMs in one question
constexpr std::int64_t kMovesMost = 1'000;

}  // namespace

template <>
const Type& type_of<PlanDrain>() {
    using Self = PlanDrain;
    static constexpr Field fields[] = {FIELD(node, "The host that would be drained.", kNode)};
    static constexpr Type type =
        make_type<Self>("PlanDrain", "What if a host were drained?", fields);
    return type;
}

template <>
const Type& type_of<PlanLose>() {
    using Self = PlanLose;
    static constexpr Field fields[] = {FIELD(nodes, "The hosts that would be lost, all at once.",
                                             {.length_max = kNameLengthMax,
                                              .items_max = kNodesMost,
                                              .rule = Rule::kName,
                                              .required = true})};
    static constexpr Type type = make_type<Self>("PlanLose", "What if hosts were lost?", fields);
    return type;
}

template <>
const Type& type_of<PlanAdd>() {
    using Self = PlanAdd;
    static constexpr Field fields[] = {
        FIELD(name, "What to call it; empty: new-host.", kName),
        FIELD(cpus, "Its CPUs.", {.min = 1, .max = kCpusMost}),
        FIELD(memory_mib, "Its memory.", {.min = 1, .max = kMibMost, .unit = "MiB"}),
        FIELD(disk_mib, "Its disk.", {.min = 0, .max = kMibMost, .unit = "MiB"}),
        FIELD(zone, "Zone that it would stand in.", {.length_max = 63, .rule = Rule::kToken}),
        FIELD(count, "So many of them.", {.min = 1, .max = kAddMost}),
    };
    static constexpr Type type =
        make_type<Self>("PlanAdd", "What would hosts like this one make possible?", fields);
    return type;
}

template <>
const Type& type_of<PlanLaunch>() {
    using Self = PlanLaunch;
    static constexpr Field fields[] = {
        FIELD(project, "Project; empty: the one of the query, else \"default\".", kName),
        FIELD(spec, "What is wanted."),
        FIELD(count, "So many of them.", {.min = 1, .max = kLaunchMost}),
    };
    static constexpr Type type = make_type<Self>("PlanLaunch", "Would such VMs fit?", fields);
    return type;
}

template <>
const Type& type_of<PlanUpgrade>() {
    static constexpr Type type = make_type<PlanUpgrade>(
        "PlanUpgrade", "Can the hosts be upgraded one by one?", std::span<const Field>{});
    return type;
}

template <>
const Type& type_of<PlanSurvive>() {
    using Self = PlanSurvive;
    static constexpr Field fields[] = {
        FIELD(hosts, "Any so many hosts, lost at once.", {.min = 1, .max = 1'000})};
    static constexpr Type type =
        make_type<Self>("PlanSurvive", "Would every VM find a place after a loss?", fields);
    return type;
}

template <>
const Type& type_of<RebalanceRequest>() {
    using Self = RebalanceRequest;
    static constexpr Field fields[] = {
        FIELD(max_moves, "At most so many.", {.min = 1, .max = kMovesMost}),
        FIELD(restart_vms, "The VMs that move may be restarted."),
    };
    static constexpr Type type =
        make_type<Self>("RebalanceRequest", "Move VMs where they fit better.", fields);
    return type;
}

}  // namespace json

template <class Question>
Result<Question> parse_question(std::string_view text) {
    ASSIGN_OR_RETURN(Question question,
                     parse_as<Question>(text.empty() ? "{}" : text, Mode::kStrict));
    RETURN_IF_ERROR(json::check_limits(json::type_of<Question>(), &question, json::Path{}));
    if constexpr (std::is_same_v<Question, PlanLaunch>) RETURN_IF_ERROR(validate(question.spec));
    return question;
}

void write(const PlanLaunch& value, std::string& out) { write_as(value, out); }

template Result<PlanDrain> parse_question(std::string_view);
template Result<PlanLose> parse_question(std::string_view);
template Result<PlanAdd> parse_question(std::string_view);
template Result<PlanLaunch> parse_question(std::string_view);
template Result<PlanUpgrade> parse_question(std::string_view);
template Result<PlanSurvive> parse_question(std::string_view);
template Result<RebalanceRequest> parse_question(std::string_view);

}  // namespace blixard::model
