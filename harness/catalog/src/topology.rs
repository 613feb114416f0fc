//! Networks, segments and clusters.

use crate::Named as _;
use crate::named::named;

named! {
    /// One layer-2 network of the appliance; also the first half of a symbolic address.
    pub enum Segment("segment") {
        Management = "management", "where the Data Plane API listens and operators come from";
        Workload = "workload", "where the backends live";
        Frontend = "frontend", "where clients come from, in topology `frontend`";
    }
}

named! {
    /// The appliance's network topology (OVF deployment option). It cannot be changed by an upgrade.
    pub enum Networks("network topology") {
        Default = "default", "two networks: management and workload; load balancer addresses are on workload";
        Frontend = "frontend", "three networks: management, workload and frontend, which has the load balancer addresses";
    }
}

impl Networks {
    /// The segments an appliance of this topology is attached to, in NIC order.
    pub fn segments(self) -> &'static [Segment] {
        match self {
            Self::Default => &[Segment::Management, Segment::Workload],
            Self::Frontend => &[Segment::Management, Segment::Workload, Segment::Frontend],
        }
    }

    /// The segment on which load balancer addresses live.
    pub fn load_balancing_segment(self) -> Segment {
        match self {
            Self::Default => Segment::Workload,
            Self::Frontend => Segment::Frontend,
        }
    }

    /// Whether an appliance of this topology has a NIC on the segment.
    pub fn has(self, segment: Segment) -> bool {
        self.segments().contains(&segment)
    }

    /// The names of the segments, for messages: "management, workload".
    pub fn segment_names(self) -> String {
        self.segments().iter().map(|segment| segment.name()).collect::<Vec<_>>().join(", ")
    }
}

named! {
    /// A Kubernetes cluster whose operator programs routes, and from which its addresses must be reachable.
    pub enum Cluster("cluster") {
        Supervisor = "supervisor", "the supervisor cluster";
        Tenant1 = "tenant-1", "the first tenant cluster, with an operator and a vantage point of its own";
    }
}
