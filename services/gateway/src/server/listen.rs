//! The sockets that connections come from: one per worker, between which the kernel shares the connections out.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::num::NonZero;

use socket2::{Domain, Protocol, Socket, Type};
use tracing::warn;

/// Connections that wait to be accepted.
const BACKLOG: i32 = 1024;

/// Listens `count` times on the address; on port 0, on one free port.
pub(super) fn bind(address: SocketAddr, count: NonZero<usize>) -> io::Result<Vec<TcpListener>> {
    if address.port() != 0 {
        // Sockets that share a port share it with another process of the same user as well, which would then get half
        // of our connections. One that does not share finds out.
        socket(address)?.bind(&address.into())?;
    }
    let first = match shared(address) {
        Ok(first) => first,
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => return Err(error),
        Err(error) => {
            warn!(%error, "this system does not share ports; all workers accept from one socket");
            return one_for_all(address, count);
        }
    };
    let address = first.local_addr()?;
    let mut listeners = vec![first];
    while listeners.len() < count.get() {
        listeners.push(shared(address)?);
    }
    Ok(listeners)
}

fn socket(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // Connections of the process before us that are still being closed must not keep us from starting.
    socket.set_reuse_address(true)?;
    Ok(socket)
}

fn shared(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = socket(address)?;
    socket.set_reuse_port(true)?;
    listen(socket, address)
}

fn one_for_all(address: SocketAddr, count: NonZero<usize>) -> io::Result<Vec<TcpListener>> {
    let first = listen(socket(address)?, address)?;
    let mut listeners = (1..count.get()).map(|_| first.try_clone()).collect::<io::Result<Vec<_>>>()?;
    listeners.push(first);
    Ok(listeners)
}

fn listen(socket: Socket, address: SocketAddr) -> io::Result<TcpListener> {
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const ANY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

    #[test]
    fn all_listen_on_one_port_which_nobody_else_gets() {
        let three = NonZero::new(3).unwrap();
        let listeners = bind(ANY, three).unwrap();
        let address = listeners[0].local_addr().unwrap();
        assert!(address.port() != 0 && listeners.iter().all(|it| it.local_addr().unwrap() == address));
        assert_eq!(listeners.len(), 3);
        // The system would allow it: that is why `bind` looks first.
        assert!(shared(address).is_ok());
        assert_eq!(bind(address, three).unwrap_err().kind(), io::ErrorKind::AddrInUse);
    }

    #[test]
    fn one_socket_serves_where_ports_are_not_shared() {
        let listeners = one_for_all(ANY, NonZero::new(2).unwrap()).unwrap();
        assert_eq!(listeners[0].local_addr().unwrap(), listeners[1].local_addr().unwrap());
    }
}
