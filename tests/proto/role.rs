use wscope::proto::Role;

#[test]
fn each_role_is_the_peer_of_the_other() {
    for (role, peer, name) in [(Role::Client, Role::Server, "client"), (Role::Server, Role::Client, "server")]
    {
        assert_eq!(role.peer(), peer);
        assert_eq!(role.to_string(), name);
    }
}
