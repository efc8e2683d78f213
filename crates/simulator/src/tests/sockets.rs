//! Over real loopback sockets.

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use super::*;

#[tokio::test]
async fn a_kept_connection_serves_many_requests_and_the_server_ends_when_told() {
    let simulator = simulator(config());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let shutdown = async move { drop(stopped.await) };
    let server = tokio::spawn(simulator.clone().serve(listener, shutdown));

    let mut client = Client::over(TcpStream::connect(address).await.unwrap()).await;
    for number in 1..=50 {
        let answer = client.post(CHAT, &chat(10)).await;
        assert_eq!(answer.status, 200);
        assert!(!answer.has("connection"), "the connection is kept");
        assert_eq!(simulator.statistics().answered, number);
    }
    stop.send(()).unwrap();
    server.await.unwrap().unwrap();
    assert!(client.try_post(CHAT, &chat(10)).await.is_err());
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn many_connections_are_served_side_by_side() {
    let simulator = simulator(config().with_latency(Duration::from_millis(20)));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(simulator.clone().serve(listener, std::future::pending()));
    let one = || async move {
        let mut client = Client::over(TcpStream::connect(address).await.unwrap()).await;
        client.post(CHAT, &chat(10)).await.status
    };
    let clients: Vec<_> = (0..64).map(|_| tokio::spawn(one())).collect();
    for client in clients {
        assert_eq!(client.await.unwrap(), 200);
    }
    assert_eq!(simulator.statistics().answered, 64);
    server.abort();
}
